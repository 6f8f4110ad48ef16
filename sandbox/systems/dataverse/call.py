"""A request of the Web API as it was read: sent by itself, or as one part of a batch."""

from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDict, MultiDict
from yarl import URL


@dataclass(frozen=True)
class Call:
    """One request; `root` is the address of the Web API in the version it uses, `path` is decoded and below that."""

    method: str
    root: str
    path: str
    query: MultiDict[str]
    headers: CIMultiDict[str]
    body: bytes = b""

    @property
    def address(self) -> str:
        """The address without its query."""
        return self.root + self.path

    @classmethod
    async def read(cls, request: web.Request) -> "Call":
        """Read a whole request to `/api/data/v9.x/`."""
        root = f"{request.scheme}://{request.host}/api/data/{request.match_info['version']}/"
        path = below_root(request.rel_url)
        return cls(request.method, root, path, MultiDict(request.query), request.headers.copy(), await request.read())


def below_root(url: URL) -> str:
    """The decoded path below `/api/data/v9.x/`."""
    return unquote(url.raw_path.partition("/api/data/")[2].partition("/")[2])

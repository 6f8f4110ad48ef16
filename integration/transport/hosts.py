"""Which hosts may be called, and the limits of time and size for each."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from yarl import URL

from integration.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one call: seconds to connect, between two reads, and for all of it; bytes of the (unpacked) answer.

    `total` runs from the DNS look-up to the last byte read, and includes a second sending.
    """

    connect: float = 5.0
    read: float = 20.0
    total: float = 30.0
    answer_bytes: int = 4 * 1024 * 1024


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Host:
    """A host that the configuration allows; only scheme, host and port of `url` count.

    `ca_file` (PEM) replaces the public certificate authorities for this host. `client_certificate` (PEM, with its
    private key) is shown to it.
    """

    url: str
    ca_file: str | None = None
    limits: Limits = DEFAULT_LIMITS
    client_certificate: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        origin = origin_of(self.url)
        if origin is None:
            raise ConfigurationError(f"'{self.url}' is not an http(s) address with a host name and without credentials")
        if origin.startswith("http://") and not _is_loopback(self.url):
            raise ConfigurationError(f"'{self.url}' must be https: plain http is for this machine only")
        if self.ca_file is not None and not Path(self.ca_file).is_file():
            raise ConfigurationError(f"The CA file '{self.ca_file}' for '{self.url}' does not exist")

    @property
    def origin(self) -> str:
        """`scheme://host:port`, always with the port."""
        origin = origin_of(self.url)
        assert origin is not None  # noqa: S101 -- __post_init__ has refused everything else
        return origin


def parsed(url: str) -> tuple[str, URL] | None:
    """`scheme://host:port` of an http(s) address, and the address as it is sent (by aiohttp, which takes yarl's URL).

    None for everything else, also for an address that carries credentials. It is read once, so that no address means
    one host to the check and another one to the socket.
    """
    try:
        parts = URL(url, encoded=True)
        name, port = parts.raw_host, parts.port
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not name or "@" in parts.raw_authority:
        return None
    host = f"[{name.lower()}]" if ":" in name else name.lower()
    return f"{parts.scheme}://{host}:{port}", parts


def origin_of(url: str) -> str | None:
    """`scheme://host:port` of an http(s) address, None where `parsed` gives None."""
    found = parsed(url)
    return found[0] if found else None


_SCHEMES = {"http", "https"}


def _is_loopback(url: str) -> bool:
    name = URL(url, encoded=True).raw_host or ""
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False

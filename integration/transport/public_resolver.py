"""Resolves names for aiohttp, which checks the addresses when it connects; see public_hosts.py."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from integration.transport.public_hosts import is_public


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses; a name that has none fails as one that does not exist."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        public = [it for it in found if is_public(it["host"])]
        if not public:
            raise OSError(f"{host} has no public address")
        return public

    async def close(self) -> None:
        await self._resolver.close()

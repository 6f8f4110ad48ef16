"""Reads the whole body of an answer, decompressed, and never more than its limit."""

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import ClientResponse

_GZIP = 16 + zlib.MAX_WBITS


class TooLargeError(Exception):
    """The body is larger than its limit."""


class NotGzipError(Exception):
    """The body has an encoding that was not asked for, or is not what its header says."""


async def read_body(answer: "ClientResponse", limit: int) -> bytes:
    """The body, decompressed if it is gzip; raises `TooLargeError` as soon as it exceeds `limit` bytes decompressed."""
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return await _read_plain(answer, limit)
    if encoding not in {"gzip", "x-gzip"}:
        raise NotGzipError(encoding)
    return await _read_gzip(answer, limit)


async def _read_plain(answer: "ClientResponse", limit: int) -> bytes:
    if (answer.content_length or 0) > limit:
        raise TooLargeError
    content = answer.content
    body = await content.readany()
    if content.at_eof() and len(body) <= limit:
        return body
    whole = bytearray(body)
    while len(whole) <= limit:
        if content.at_eof():
            return bytes(whole)
        whole += await content.readany()
    raise TooLargeError


async def _read_gzip(answer: "ClientResponse", limit: int) -> bytes:
    """Decompress no more than the rest of the limit and one byte at once: a small answer may expand to a huge one."""
    whole = bytearray()
    member = zlib.decompressobj(_GZIP)
    started = False
    while not answer.content.at_eof():
        packed = await answer.content.readany()
        while packed:
            if member.eof:
                member = zlib.decompressobj(_GZIP)
            started = True
            try:
                whole += member.decompress(packed, limit - len(whole) + 1)
            except zlib.error as error:
                raise NotGzipError(str(error)) from error
            if len(whole) > limit:
                raise TooLargeError
            packed = member.unconsumed_tail or member.unused_data
    if started and not member.eof:
        raise NotGzipError("cut short")
    return bytes(whole)

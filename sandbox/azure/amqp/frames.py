"""AMQP frames: their eight-byte head, and cutting a byte stream into frames (specification part 2.3)."""

import struct
from typing import NamedTuple

from sandbox.azure.amqp.composites import encode_composite
from sandbox.azure.amqp.errors import ProtocolError
from sandbox.azure.amqp.performatives import Performative, SaslFrame

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
AMQP_FRAME, SASL_FRAME = 0, 1
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"  # the heartbeat

_HEAD = struct.Struct(">IBBH")


class Frame(NamedTuple):
    """One frame as it came; `body` is empty for a heartbeat."""

    type: int
    channel: int
    body: bytes


def encode_frame(performative: Performative | SaslFrame, channel: int = 0, *, frame_type: int = AMQP_FRAME) -> bytes:
    """A whole frame, without payload."""
    return frame_bytes(encode_composite(performative), channel, frame_type)


def frame_bytes(body: bytes, channel: int, frame_type: int = AMQP_FRAME) -> bytes:
    """A whole frame around an encoded body."""
    return _HEAD.pack(len(body) + 8, 2, frame_type, channel) + body


class FrameBuffer:
    """Collects bytes and gives them back as protocol headers and frames; `limit` is the longest frame, in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._position = 0

    def append(self, data: bytes) -> None:
        """Adds bytes from the socket."""
        if self._position:
            del self._buffer[: self._position]
            self._position = 0
        self._buffer += data

    def header(self) -> bytes | None:
        """The eight bytes of a protocol header, or None until all of them have come."""
        if len(self._buffer) - self._position < 8:
            return None
        return self._take(8)

    def frame(self) -> Frame | None:
        """The next frame, or None until all of it has come."""
        if len(self._buffer) - self._position < 8:
            return None
        size, offset, frame_type, channel = _HEAD.unpack_from(self._buffer, self._position)
        if size < 8 or not 8 <= offset * 4 <= size:
            raise ProtocolError("a frame's head is malformed", "amqp:connection:framing-error")
        if size > self._limit:
            raise ProtocolError(f"a frame of {size} bytes; {self._limit} are allowed", "amqp:connection:framing-error")
        if len(self._buffer) - self._position < size:
            return None
        return Frame(frame_type, channel, self._take(size)[offset * 4 :])

    def _take(self, size: int) -> bytes:
        start, self._position = self._position, self._position + size
        return bytes(self._buffer[start : self._position])

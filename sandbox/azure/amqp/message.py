"""An encoded AMQP message as its sections (specification part 3.2).

A broker passes on what it does not need to understand: `Sections` keeps properties, application properties and body as
the bytes that came, so the sender's types survive; only the header and the annotations are taken apart. A client builds
a message with `build` and reads one with `Sections.parse`, `properties()`, `application_properties()` and `body()`.
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.amqp.codec import NULL, decode, encode, encode_list, encode_map, skip, split_list, split_map
from sandbox.azure.amqp.errors import ProtocolError
from sandbox.azure.amqp.types import Described, Raw, Symbol, Timestamp, UByte, UInt

BATCH_FORMAT = 0x80013700  # Azure's message-format for an envelope whose data sections are messages

_HEADER, _DELIVERY_ANNOTATIONS, _MESSAGE_ANNOTATIONS, _PROPERTIES = 0x70, 0x71, 0x72, 0x73
_APPLICATION_PROPERTIES, _DATA, _SEQUENCE, _VALUE, _FOOTER = 0x74, 0x75, 0x76, 0x77, 0x78
_BODY_SECTIONS = {_DATA, _SEQUENCE, _VALUE, _FOOTER}
_NAMES = {
    "amqp:header:list": _HEADER,
    "amqp:delivery-annotations:map": _DELIVERY_ANNOTATIONS,
    "amqp:message-annotations:map": _MESSAGE_ANNOTATIONS,
    "amqp:properties:list": _PROPERTIES,
    "amqp:application-properties:map": _APPLICATION_PROPERTIES,
    "amqp:data:binary": _DATA,
    "amqp:amqp-sequence:list": _SEQUENCE,
    "amqp:amqp-value:*": _VALUE,
    "amqp:footer:map": _FOOTER,
}


@dataclass(slots=True)
class Properties:
    """The properties section, decoded. Times are milliseconds since 1970."""

    message_id: Any = None
    user_id: bytes | None = None
    to: str | None = None
    subject: str | None = None
    reply_to: str | None = None
    correlation_id: Any = None
    content_type: str | None = None
    content_encoding: str | None = None
    absolute_expiry_time: int | None = None
    creation_time: int | None = None
    group_id: str | None = None
    group_sequence: int | None = None
    reply_to_group_id: str | None = None

    def encode(self) -> list[bytes]:
        """The fields, encoded."""
        return [
            encode(self.message_id),
            encode(self.user_id),
            encode(self.to),
            encode(self.subject),
            encode(self.reply_to),
            encode(self.correlation_id),
            _optional(Symbol, self.content_type),
            _optional(Symbol, self.content_encoding),
            _optional(Timestamp, self.absolute_expiry_time),
            _optional(Timestamp, self.creation_time),
            encode(self.group_id),
            _optional(UInt, self.group_sequence),
            encode(self.reply_to_group_id),
        ]


PROPERTY_FIELDS = tuple(Properties.__dataclass_fields__)


def _optional(kind: Any, value: Any) -> bytes:
    return NULL if value is None else encode(kind(value))


@dataclass(slots=True)
class Sections:
    """One message. `ttl` is in milliseconds; a `Raw` is still encoded; `tail` is body and footer as they came."""

    durable: bool | None = None
    priority: int | None = None
    ttl: int | None = None
    delivery_count: int = 0
    delivery_annotations: dict[Any, Raw] = field(default_factory=dict)
    message_annotations: dict[Any, Raw] = field(default_factory=dict)
    property_fields: list[Raw] = field(default_factory=list)
    raw_application_properties: Raw | None = None
    tail: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> "Sections":
        """Takes a message apart. Sections may come in any order: the Python SDKs append delivery annotations."""
        message = cls()
        tail: list[bytes] = []
        for code, start, value, end in _sections(data):
            if code in _BODY_SECTIONS:
                tail.append(data[start:end])
            elif code == _MESSAGE_ANNOTATIONS:
                message.message_annotations.update(split_map(data, value))
            elif code == _PROPERTIES:
                message.property_fields = split_list(data, value)
            elif code == _APPLICATION_PROPERTIES:
                message.raw_application_properties = Raw(data[value:end])
            elif code == _HEADER:
                message._read_header(data, value)
            else:
                message.delivery_annotations.update(split_map(data, value))
        message.tail = tail[0] if len(tail) == 1 else b"".join(tail)
        return message

    def _read_header(self, data: bytes, position: int) -> None:
        values, _ = decode(data, position)
        if not isinstance(values, list):
            raise ProtocolError("a message header is a list")
        durable, priority, ttl, _, count, *_ = [*values, None, None, None, None, None]
        if not (isinstance(ttl, int | None) and isinstance(count, int | None) and isinstance(priority, int | None)):
            raise ProtocolError("a message header has a field of the wrong type")
        self.durable = None if durable is None else bool(durable)
        self.priority, self.ttl, self.delivery_count = priority, ttl, count or 0

    def encode(self, *, with_header: bool = True) -> bytes:
        """The whole message; the header and at most one section of each kind of annotations come first."""
        parts = [b"\x00\x53\x70", encode_list(self._header_fields())] if with_header else []
        if self.delivery_annotations:
            parts += (b"\x00\x53\x71", _annotation_map(self.delivery_annotations))
        if self.message_annotations:
            parts += (b"\x00\x53\x72", _annotation_map(self.message_annotations))
        if self.property_fields:
            parts += (b"\x00\x53\x73", encode_list(list(self.property_fields)))
        if self.raw_application_properties is not None:
            parts += (b"\x00\x53\x74", self.raw_application_properties)
        parts.append(self.tail)
        return b"".join(parts)

    def _header_fields(self) -> list[bytes]:
        return [
            encode(self.durable),
            _optional(UByte, self.priority),
            _optional(UInt, self.ttl),
            NULL,
            encode(UInt(self.delivery_count)),
        ]

    def properties(self) -> Properties:
        """The properties section, decoded (its fields empty when there is none)."""
        return Properties(*[decode(raw)[0] for raw in self.property_fields[: len(PROPERTY_FIELDS)]])

    def property(self, name: str) -> Any:
        """One field of the properties section, named as in `Properties`."""
        index = PROPERTY_FIELDS.index(name)
        return decode(self.property_fields[index])[0] if index < len(self.property_fields) else None

    def raw_property(self, name: str) -> Raw:
        """The same field, still encoded with its sender's type."""
        index = PROPERTY_FIELDS.index(name)
        return self.property_fields[index] if index < len(self.property_fields) else Raw(NULL)

    def set_property(self, name: str, value: Any) -> None:
        """Replaces one field of the properties section."""
        index = PROPERTY_FIELDS.index(name)
        missing = index + 1 - len(self.property_fields)
        self.property_fields = [*self.property_fields, *[Raw(NULL)] * missing]
        self.property_fields[index] = Raw(encode(value))

    def application_properties(self) -> dict[Any, Any]:
        """The application properties, decoded."""
        if self.raw_application_properties is None:
            return {}
        values, _ = decode(self.raw_application_properties)
        if not isinstance(values, dict):
            raise ProtocolError("application properties are a map")
        return values

    def add_application_properties(self, entries: dict[str, Any]) -> None:
        """Adds or replaces entries; the others keep their encoded form."""
        raw = self.raw_application_properties
        kept = [(key, value) for key, value in (split_map(raw) if raw is not None else []) if _text(key) not in entries]
        parts = [part for key, value in kept for part in (encode(key), value)]
        parts += [encode(part) for pair in entries.items() for part in pair]
        self.raw_application_properties = Raw(encode_map(parts))

    def remove_application_property(self, name: str) -> None:
        """Takes out one entry; the others keep their encoded form."""
        raw = self.raw_application_properties
        kept = [(key, value) for key, value in (split_map(raw) if raw is not None else []) if _text(key) != name]
        parts = [part for key, value in kept for part in (encode(key), value)]
        self.raw_application_properties = Raw(encode_map(parts)) if kept else None

    def annotation(self, key: str) -> Any:
        """One message annotation, decoded; None when it is not there."""
        raw = self.message_annotations.get(key)
        return None if raw is None else decode(raw)[0]

    def annotations(self) -> dict[Any, Any]:
        """All message annotations, decoded."""
        return {key: decode(raw)[0] for key, raw in self.message_annotations.items()}

    def body(self) -> Any:
        """Data sections as one `bytes`, an amqp-value as its value, amqp-sequences as one list, None without a body."""
        data, sequence, value, kind = [], [], None, 0
        for code, _, position, _ in _sections(self.tail):
            if code == _FOOTER:
                continue
            kind = code
            value, _ = decode(self.tail, position)
            if code == _DATA:
                data.append(bytes(value))
            elif code == _SEQUENCE:
                sequence.extend(value)
        return {_DATA: b"".join(data), _SEQUENCE: sequence}.get(kind, value)

    def copy(self) -> "Sections":
        """A copy whose annotations and properties can be changed without touching this one."""
        return Sections(
            self.durable,
            self.priority,
            self.ttl,
            self.delivery_count,
            dict(self.delivery_annotations),
            dict(self.message_annotations),
            self.property_fields,
            self.raw_application_properties,
            self.tail,
        )


def build(
    body: Any,
    *,
    properties: Properties | None = None,
    application_properties: dict[str, Any] | None = None,
    message_annotations: dict[str, Any] | None = None,
    ttl: int | None = None,
) -> Sections:
    """A message to send: `bytes` become a data section, anything else an amqp-value."""
    section = 0x75 if isinstance(body, bytes) else 0x77
    return Sections(
        ttl=ttl,
        message_annotations={Symbol(key): Raw(encode(value)) for key, value in (message_annotations or {}).items()},
        property_fields=[Raw(item) for item in properties.encode()] if properties else [],
        raw_application_properties=Raw(encode(application_properties)) if application_properties else None,
        tail=bytes((0x00, 0x53, section)) + encode(body),
    )


def split_batch(data: bytes) -> list[bytes]:
    """The encoded messages of a batch envelope (message-format `BATCH_FORMAT`)."""
    messages = []
    for code, _, position, _ in _sections(data):
        if code == _DATA:
            message, _ = decode(data, position)
            if not isinstance(message, bytes):
                raise ProtocolError("a data section holds no binary")
            messages.append(message)
    return messages


def encode_batch(messages: list[bytes]) -> bytes:
    """The batch envelope around encoded messages."""
    return b"".join(b"\x00\x53\x75" + encode(message) for message in messages)


def _sections(data: bytes) -> list[tuple[int, int, int, int]]:
    """(section code, start, start of its value, end) of every section."""
    found = []
    position = 0
    while position < len(data):
        start = position
        if data[start : start + 2] == b"\x00\x53" and len(data) > start + 2:
            code, position = data[start + 2], start + 3
        else:
            if data[start] != 0:
                raise ProtocolError("a message section has no descriptor")
            descriptor, position = decode(data, start + 1)
            code = _NAMES.get(descriptor, 0) if isinstance(descriptor, str) else descriptor
        if not isinstance(code, int) or not _HEADER <= code <= _FOOTER:
            raise ProtocolError(f"{code} describes no message section")
        end = skip(data, position)
        found.append((code, start, position, end))
        position = end
    return found


def _annotation_map(entries: dict[Any, Raw]) -> bytes:
    return encode_map([part for key, value in entries.items() for part in (encode(key), bytes(value))])


def _text(key: Any) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)


def described(descriptor: str, value: Any) -> Described:
    """A described value under a symbolic descriptor, as link filters are written."""
    return Described(Symbol(descriptor), value)

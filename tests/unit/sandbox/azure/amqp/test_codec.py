"""The AMQP codec: what it writes it reads back, and what is malformed is a `ProtocolError` and nothing else."""

import math
import struct
import uuid
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.azure.amqp import Connection, EncodeError, Handler, ProtocolError, Sections, build
from sandbox.azure.amqp.codec import decode, encode, encode_list, skip, split_list, split_map
from sandbox.azure.amqp.composites import decode_performative, encode_composite
from sandbox.azure.amqp.frames import AMQP_HEADER, SASL_HEADER, encode_frame
from sandbox.azure.amqp.message import Properties, encode_batch, split_batch
from sandbox.azure.amqp.performatives import (
    Attach,
    Begin,
    Detach,
    Disposition,
    Error,
    Flow,
    Modified,
    Open,
    Rejected,
    SaslInit,
    SaslMechanisms,
    Source,
    Target,
    Transfer,
)
from sandbox.azure.amqp.types import Array, Described, Int, Raw, Symbol, Timestamp, UByte, UInt, ULong, UShort

longs = st.integers(-(2**63), 2**63 - 1)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    longs,
    st.text(),
    st.binary(max_size=400),
    st.uuids(),
    st.floats(allow_nan=False),
    longs.map(Timestamp),
    st.text(st.characters(max_codepoint=127), max_size=300).map(Symbol),
    st.integers(0, 255).map(UByte),
    st.integers(0, 2**16 - 1).map(UShort),
    st.integers(0, 2**32 - 1).map(UInt),
    st.integers(0, 2**64 - 1).map(ULong),
    st.integers(-(2**31), 2**31 - 1).map(Int),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=8),
        st.dictionaries(st.text(max_size=10), inner, max_size=8),
        inner.map(lambda value: Described(Symbol("x:y"), value)),
    ),
    max_leaves=40,
)


@given(values)
def test_a_value_is_read_back_as_it_was_written(value: object) -> None:
    data = encode(value)
    assert decode(data) == (value, len(data))
    assert skip(data, 0) == len(data)


@given(st.lists(longs), st.lists(st.uuids()), st.lists(st.text(max_size=5)))
def test_arrays_are_read_back_as_lists(numbers: list[int], tokens: list[uuid.UUID], names: list[str]) -> None:
    for kind, items in ((int, numbers), (uuid.UUID, tokens), (str, names)):
        assert decode(encode(Array(kind, items)))[0] == items


@given(st.binary(max_size=200))
def test_bytes_that_are_not_amqp_raise_only_protocol_errors(data: bytes) -> None:
    for read in (decode, skip, split_list, split_map, decode_performative):
        with suppress(ProtocolError):
            read(data, 0)
    with suppress(ProtocolError):
        Sections.parse(data).body()


@given(values, st.data())
def test_a_value_cut_short_is_refused(value: object, data: st.DataObject) -> None:
    encoded = encode(value)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(ProtocolError):
        decode(encoded[:cut])
    with pytest.raises(ProtocolError):
        skip(encoded[:cut], 0)


def test_deep_nesting_and_huge_counts_are_refused() -> None:
    """Neither exhausts the stack or the memory."""
    with pytest.raises(ProtocolError):
        decode(b"\x00" * 100_000)
    with pytest.raises(ProtocolError):
        decode(b"\xf0" + struct.pack(">II", 5, 2**32 - 1) + b"\x40")


def test_what_has_no_encoding_is_the_callers_mistake() -> None:
    for value in (object(), 2**63, UByte(256), Symbol("ä"), UInt(-1)):
        with pytest.raises(EncodeError):
            encode(value)


def test_widths_are_those_of_the_type() -> None:
    """The constructors that the SDKs expect: smallulong, ulong, long, int, timestamp."""
    assert encode(ULong(7)) == b"\x53\x07"
    assert encode(ULong(2**40))[:1] == b"\x80"
    assert encode(1_000)[:1] == b"\x81"
    assert encode(Int(1_000))[:1] == b"\x71"
    assert encode(Timestamp(5))[:1] == b"\x83"
    assert math.isnan(decode(encode(math.nan))[0])


@given(st.lists(values, max_size=5), st.dictionaries(st.text(max_size=5), values, max_size=5))
def test_compounds_are_cut_without_being_decoded(items: list[object], entries: dict[str, object]) -> None:
    assert [decode(part)[0] for part in split_list(encode(items))] == items
    assert {key: decode(part)[0] for key, part in split_map(encode(entries))} == entries


PERFORMATIVES = [
    (Open("c", "h", 65536, 4999, 240000), 10),
    (Begin(None, 0, 5, 6), 8),
    (Attach("n", 1, True, source=Source("q", filter={Symbol("a"): "b"}), target=Target("t")), 14),
    (
        Attach(
            "n",
            1,
            True,
            source=Source("q", default_outcome=Modified(True), outcomes=[Symbol("amqp:accepted:list")]),
            target=Target("t", capabilities="one"),
            desired_capabilities=[Symbol("a"), Symbol("b")],
        ),
        14,
    ),
    (Flow(1, 2, 3, 4, handle=5, link_credit=6, drain=True), 11),
    (Transfer(1, 2, b"t", 0, False), 11),
    (Disposition(True, 1, 2, settled=True, state=Rejected(Error("a:b", "c", {Symbol("k"): "v"}))), 6),
    (Disposition(True, 1, state=Modified(True, False)), 6),
    (Detach(1, closed=True, error=Error("a:b", None)), 3),
    (SaslInit("ANONYMOUS", b"x"), 3),
]


@pytest.mark.parametrize(("performative", "fields"), PERFORMATIVES)
def test_performatives_are_written_in_full_length(performative: object, fields: int) -> None:
    """Older SDKs index every field; and they are read back as they were written."""
    data = encode_composite(performative)
    assert len(split_list(data, 3)) == fields
    assert decode_performative(data) == (performative, len(data))


def test_a_server_offers_its_sasl_mechanisms_as_an_array_of_symbols() -> None:
    """The JavaScript SDK looks for one it knows; the Python SDKs take ANONYMOUS unseen."""
    server = Connection.server(Handler())
    server.feed(SASL_HEADER)
    output = server.take_output()
    assert output.startswith(SASL_HEADER)
    frame, _ = decode_performative(output[len(SASL_HEADER) + 8 :])
    assert frame == SaslMechanisms([Symbol("MSSBCBS"), Symbol("ANONYMOUS"), Symbol("PLAIN"), Symbol("EXTERNAL")])


def test_a_short_performative_gets_its_defaults() -> None:
    """Peers may leave out trailing fields."""
    data = b"\x00\x53\x10" + encode_list([encode("me")])
    assert decode_performative(data)[0] == Open("me")


@pytest.mark.parametrize(
    "fields",
    [[], [encode(1)], [encode("name"), encode("handle"), encode(True)], [encode("n")] * 15],
    ids=["none", "name is a number", "handle is text", "too many"],
)
def test_a_performative_with_wrong_fields_is_refused(fields: list[bytes]) -> None:
    with pytest.raises(ProtocolError):
        decode_performative(b"\x00\x53\x12" + encode_list(fields))


@given(st.binary(max_size=300), st.sampled_from([b"", SASL_HEADER, AMQP_HEADER]))
def test_a_connection_raises_only_protocol_errors(data: bytes, header: bytes) -> None:
    """Whatever a client sends, also behind a good beginning."""
    connection = Connection.server(Handler())
    opening = header
    if header == AMQP_HEADER:
        opening += encode_frame(Open("x")) + encode_frame(Begin(None, 0, 10, 10))
        data = struct.pack(">IBBH", len(data) + 8, 2, 0, 0) + data
    try:
        connection.feed(opening + data)
    except ProtocolError as error:
        connection.fail(error)


@given(st.lists(st.sampled_from(PERFORMATIVES), max_size=12))
def test_frames_in_any_order_raise_only_protocol_errors(sequence: list[tuple[Any, int]]) -> None:
    connection = Connection.server(Handler())
    connection.feed(AMQP_HEADER)
    with suppress(ProtocolError):
        for performative, _ in sequence:
            connection.feed(encode_frame(performative))


def test_sections_are_passed_on_byte_for_byte() -> None:
    """Types that the broker does not know survive: ubyte, float32, uuid ids, several body sections, a footer."""
    properties = b"\x00\x53\x73" + encode_list([b"\x98" + bytes(16), b"\x40", b"\xa1\x02to"])
    application = b"\x00\x53\x74" + b"\xc1\x09\x02\xa1\x01f\x72\x3f\x80\x00\x00"
    body = b"\x00\x53\x75\xa0\x01a\x00\x53\x75\xa0\x01b\x00\x53\x78\xc1\x01\x00"
    message = Sections.parse(properties + application + body)
    assert message.encode(with_header=False) == properties + application + body
    assert message.body() == b"ab"
    message.add_application_properties({"DeadLetterReason": "why"})
    assert message.application_properties() == {"f": 1.0, "DeadLetterReason": "why"}
    assert b"\x72\x3f\x80\x00\x00" in message.encode()


def test_delivery_annotations_behind_the_footer_come_out_once_in_front() -> None:
    """The Python SDKs write them last and read only the last section."""
    annotations = b"\x00\x53\x71" + encode({Symbol("k"): "v"})
    body = b"\x00\x53\x75\xa0\x01a"
    encoded = Sections.parse(body + annotations).encode(with_header=False)
    assert encoded == annotations + body


@given(st.text(max_size=50), st.dictionaries(st.text(min_size=1, max_size=8), st.one_of(longs, st.text()), max_size=4))
def test_a_built_message_is_read_back(body: str, application: dict[str, object]) -> None:
    properties = Properties(message_id="m", subject="s", content_type="application/json", group_id="g", creation_time=5)
    built = build(body, properties=properties, application_properties=application, message_annotations={"a": 1}, ttl=9)
    read = Sections.parse(built.encode())
    assert read.properties() == properties
    assert (read.body(), read.ttl, read.annotations()) == (body, 9, {"a": 1})
    assert read.application_properties() == application


def test_batches_are_taken_apart() -> None:
    assert split_batch(encode_batch([b"one", b"two" * 200])) == [b"one", b"two" * 200]
    with pytest.raises(ProtocolError):
        split_batch(b"\x00\x53\x75" + encode("text"))


def test_raw_values_pass_through() -> None:
    assert encode([Raw(b"\x41"), 1]) == encode([True, 1])

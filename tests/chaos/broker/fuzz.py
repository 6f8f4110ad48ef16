"""Malformed AMQP: conversations that begin well and then break the protocol, in every way that chance finds."""

import random
import struct
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.azure.amqp import Accepted, Error, Modified, Properties, Rejected, Released, Source, Target, build
from sandbox.azure.amqp.codec import encode
from sandbox.azure.amqp.frames import AMQP_HEADER, SASL_HEADER, encode_frame, frame_bytes
from sandbox.azure.amqp.message import BATCH_FORMAT, encode_batch
from sandbox.azure.amqp.performatives import (
    RECEIVER,
    SENDER,
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    SaslInit,
    Transfer,
)
from sandbox.azure.amqp.types import Array, Described, Int, Symbol, Timestamp, UByte, UInt, ULong

QUEUE = "fuzz"
_ADDRESSES = [
    QUEUE,
    f"{QUEUE}/$management",
    f"{QUEUE}/$DeadLetterQueue",
    "fuzz-sessions",
    "fuzz-sessions/$management",
    "fuzz-topic",
    "fuzz-topic/Subscriptions/sub",
    "fuzz-topic/Subscriptions/sub/$management",
    "fuzz-events/Partitions/0",
    "fuzz-events/ConsumerGroups/$Default/Partitions/0",
    "$cbs",
    "$management",
    "nowhere",
    "",
]
_OPERATIONS = [
    "peek-message",
    "schedule-message",
    "cancel-scheduled-message",
    "receive-by-sequence-number",
    "renew-lock",
    "update-disposition",
    "renew-session-lock",
    "get-session-state",
    "set-session-state",
    "get-message-sessions",
    "add-rule",
    "remove-rule",
    "enumerate-rules",
]
_ARGUMENTS = [
    "messages",
    "sequence-numbers",
    "from-sequence-number",
    "message-count",
    "session-id",
    "session-state",
    "lock-tokens",
    "disposition-status",
    "last-updated-time",
    "skip",
    "top",
    "rule-name",
    "rule-description",
    "receiver-settle-mode",
]
_ANNOTATIONS = ["x-opt-scheduled-enqueue-time", "x-opt-partition-key", "x-opt-lock-token", "x-opt-sequence-number"]
_FILTERS = ["com.microsoft:session-filter", "apache.org:selector-filter:string"]


class Conversations:
    """Gives what clients send on a connection, from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- chance that can be repeated

    def next(self) -> tuple[bytes, int]:
        """All bytes of one connection, and how many frames are among them that no SDK would send."""
        good = self._beginning()
        strange = [self._frame() for _ in range(self._random.randint(1, 4))]
        strange[-1] = self._mutated(strange[-1])
        return b"".join((*good, *strange)), len(strange)

    # ---- a good beginning

    def _beginning(self) -> list[bytes]:
        sasl = [SASL_HEADER, encode_frame(SaslInit("ANONYMOUS", b""), frame_type=1)]
        opening = [AMQP_HEADER, encode_frame(Open("fuzz", "localhost", self._random.choice([512, 65536])))]
        session = [encode_frame(Begin(None, 0, 100, 100))]
        links = [encode_frame(self._attach(handle)) for handle in range(3)]
        steps: list[list[bytes]] = [sasl, opening, session, links]
        if self._random.random() < 0.2:
            return [part for step in steps[: self._random.randint(0, 3)] for part in step]
        return [part for step in steps for part in step]

    def _attach(self, handle: int) -> Attach:
        address, role = self._random.choice(_ADDRESSES), self._random.choice([SENDER, RECEIVER])
        wanted = {Symbol(self._random.choice(_FILTERS)): self._value()} if self._random.random() < 0.5 else None
        return Attach(
            f"link-{handle}",
            handle,
            role,
            self._random.choice([0, 1, 2]),
            source=Source(address, filter=wanted),
            target=Target(address),
            initial_delivery_count=0,
            properties={Symbol("com.microsoft:epoch"): self._value(), Symbol("com.microsoft:timeout"): UInt(10)},
        )

    # ---- frames of the right form, with any content

    def _frame(self) -> bytes:
        makers: list[Callable[[], Any]] = [
            self._transfer,
            self._transfer,
            self._transfer,
            self._flow,
            self._disposition,
            lambda: self._attach(self._random.randint(0, 9)),
            lambda: Detach(self._number(3), closed=self._random.random() < 0.5, error=self._error()),
            lambda: End(self._error()),
            lambda: Begin(self._channel(), self._number(9), self._number(9), self._number(9)),
            lambda: Close(self._error()),
            lambda: Open("again"),
            lambda: Described(self._value(), self._value()),
        ]
        made = self._random.choice(makers)()
        if isinstance(made, bytes):
            return made
        if isinstance(made, Described):
            return frame_bytes(encode(made), self._channel())
        return encode_frame(made, self._channel())

    def _transfer(self) -> bytes:
        batch = self._random.random() < 0.3
        payload = encode_batch([self._message() for _ in range(3)]) if batch else self._message()
        if self._random.random() < 0.3:
            payload = self._mutated(payload)
        head = Transfer(
            self._random.randint(0, 3),
            self._number(9),
            self._random.randbytes(self._random.randint(0, 20)),
            BATCH_FORMAT if batch else self._number(1),
            self._random.random() < 0.5,
            self._random.random() < 0.2,
        )
        frame = encode_frame(head)
        return frame_bytes(frame[8:] + payload, 0)

    def _message(self) -> bytes:
        body = {self._random.choice(_ARGUMENTS): self._value() for _ in range(self._random.randint(0, 4))}
        message = build(
            self._random.choice([b"x" * self._random.randint(0, 300), body, self._value()]),
            properties=Properties(message_id=self._value(), group_id=self._random.choice([None, "s"])),
            application_properties={
                "operation": "com.microsoft:" + self._random.choice(_OPERATIONS),
                "name": self._random.choice(_ADDRESSES),
                "type": self._value(),
            },
            message_annotations={self._random.choice(_ANNOTATIONS): self._value()},
            ttl=self._random.choice([None, 0, 1, 2**32 - 1]),
        )
        return message.encode()

    def _flow(self) -> Flow:
        handle = self._random.choice([None, 0, 1, 2, 3])
        return Flow(
            self._number(9),
            self._number(1000),
            self._number(9),
            self._number(1000),
            handle=handle,
            delivery_count=self._number(9),
            link_credit=self._number(100),
            drain=self._random.random() < 0.3,
            echo=self._random.random() < 0.3,
        )

    def _disposition(self) -> Disposition:
        dead = Rejected(Error("com.microsoft:dead-letter", None, {Symbol("DeadLetterReason"): self._value()}))
        state = self._random.choice([None, Accepted(), Released(), Modified(True), Modified(False, True), dead])
        role = self._random.random() < 0.7
        return Disposition(role, self._number(9), self._number(9), settled=self._random.random() < 0.5, state=state)

    def _channel(self) -> int:
        return 0 if self._random.random() < 0.9 else self._random.choice([1, 4999, 65535])

    def _error(self) -> Error | None:
        return self._random.choice([None, Error("amqp:internal-error", "x")])

    def _number(self, usual: int) -> int:
        return self._random.choice([0, self._random.randint(0, usual), self._random.randint(0, usual), 2**32 - 1])

    def _value(self, depth: int = 0) -> Any:
        simple = [
            None,
            True,
            0,
            -1,
            2**63 - 1,
            Int(5),
            UByte(255),
            ULong(2**64 - 1),
            Timestamp(-(2**63)),
            Timestamp(2**62),
            1.5,
            float("nan"),
            "",
            "text",
            "amqp.annotation.x-opt-offset > '" + "9" * self._random.randint(0, 6000),
            b"",
            self._random.randbytes(16),
            Symbol("symbol"),
            uuid.UUID(int=7),
            Array(int, [1, -5, 2**62]),
            Array(uuid.UUID, [uuid.UUID(int=1)]),
        ]
        if depth < 3 and self._random.random() < 0.3:
            return self._random.choice(
                [
                    [self._value(depth + 1) for _ in range(3)],
                    {"expression": self._value(depth + 1), "message": self._value(depth + 1)},
                    {"sql-filter": {"expression": "(" * self._random.randint(0, 5000) + "a = 1"}},
                    Described(Symbol("x:y"), self._value(depth + 1)),
                ]
            )
        return self._random.choice(simple)

    # ---- frames that are broken

    def _mutated(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self._random.randint(1, 4)):
            where = self._random.randrange(len(changed)) if changed else 0
            match self._random.randrange(7):
                case 0 if changed:
                    changed[where] = self._random.randrange(256)
                case 1 if changed:
                    changed[where] ^= 1 << self._random.randrange(8)
                case 2:
                    del changed[where:]
                case 3:
                    changed[where:where] = self._random.randbytes(self._random.randint(1, 30))
                case 4:
                    changed[where:where] = changed[where : where + 50]
                case 5 if len(changed) >= 8:
                    changed[:4] = struct.pack(">I", self._random.choice([0, 7, 8, 512, 65537, 2**32 - 1]))
                case _:
                    changed += self._random.randbytes(20)
        return bytes(changed)

"""Result columns: what a flow writes back to the row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """One result column.

    `name` is its logical name without the publisher's prefix; `label` is what people see, and makes the schema name.
    `kind` is `text` (up to `max_length` characters), `whole` (from `minimum` to `maximum`), `amount` (with two
    decimals), `choice` (of `words`) or `moment`. `holds` says in a few words what stands there. With `key`, it is an
    alternate key of the table.
    """

    name: str
    label: str
    kind: str
    holds: str
    max_length: int = 0
    minimum: int = 0
    maximum: int = 0
    words: Mapping[int, str] = field(default_factory=dict)
    key: bool = False

    def value(self, answered: Any) -> Any:
        """What is written for a part of an answer: a choice's word becomes its value."""
        if self.kind != "choice" or answered is None:
            return answered
        return next(value for value, word in self.words.items() if word == answered)


def text_result(name: str, label: str, *, max_length: int, holds: str, key: bool = False) -> Result:
    """Text."""
    return Result(name, label, "text", holds, max_length=max_length, key=key)


def whole_result(name: str, label: str, *, minimum: int, maximum: int, holds: str) -> Result:
    """A whole number."""
    return Result(name, label, "whole", holds, minimum=minimum, maximum=maximum)


def amount_result(name: str, label: str, *, holds: str) -> Result:
    """An amount with two decimals, whose currency follows from what it is of."""
    return Result(name, label, "amount", holds)


def choice_result(name: str, label: str, words: Mapping[int, str], *, holds: str) -> Result:
    """A choice; an effect's answer has the word."""
    return Result(name, label, "choice", holds, words=dict(words))


def moment_result(name: str, label: str, *, holds: str) -> Result:
    """A date and time; an effect's answer has it as ISO 8601 with an offset."""
    return Result(name, label, "moment", holds)


STATUS = (
    choice_result("syncstatus", "Sync status", {1: "synced", 2: "failed"}, holds="whether the row got through"),
    moment_result("syncedon", "Synced on", holds="when the row was last processed (UTC)"),
    text_result("syncmessage", "Sync message", max_length=500, holds="why it failed, with the event id for support"),
)
"""What every table has that is written to."""

"""What was seen from outside in one run, once everything was quiet: what the checker judges. Plain JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A 202 of the intake: what it was about, who had caused it, and what the intake made of it."""

    event_id: str
    record: str  # table:id
    own: bool  # written with the tag of the app, which nobody else uses
    status: str  # accepted or own-write


@dataclass(slots=True)
class History:
    """One run. Records are named `table:id`; lists are in the order in which things happened."""

    seed: int
    answers: list[Answer] = field(default_factory=list)
    unacceptable: list[str] = field(default_factory=list)
    """Records that had a currency which no system takes, for a while or to the end."""
    restored: list[str] = field(default_factory=list)
    """Records that were changed while a system had been restored from an older copy."""
    restored_at: int = 0
    """The number of effects in the ERP's ledger when that was done."""
    nemesis: list[str] = field(default_factory=list)
    operations: dict[str, Json | None] = field(default_factory=dict)
    """Per answered event its row in the ledger (state, reason, detail); None where the ledger knows nothing of it."""
    shown: dict[str, str] = field(default_factory=dict)
    """The state that the status route shows of an event; of some events where there are many."""
    problems: dict[str, list[str]] = field(default_factory=dict)
    """Per event the states under which the ledger's list of problems has it."""
    rows: dict[str, Json | None] = field(default_factory=dict)
    """Per record its row as Dataverse has it in the end; None where it was deleted."""
    currencies: dict[str, str] = field(default_factory=dict)
    """ISO codes by row id."""
    effects: list[Json] = field(default_factory=list)
    """The ERP's own ledger: kind, id, number, key, body."""
    charges: list[Json] = field(default_factory=list)
    """Credit scoring's bill: key, reference, subjectId, amount, currency, score, decision."""
    dead_letters: list[str] = field(default_factory=list)
    """Message ids in $DeadLetterQueue."""
    archived: list[Json] = field(default_factory=list)
    """The archive's lines: partition, sequenceNumber, id, state."""
    queue: Json = field(default_factory=dict)
    """Messages in the work queue: active, locked, scheduled, deferred, deadLetter."""
    hub: dict[str, int] = field(default_factory=dict)
    """Events per partition of the hub."""

    @property
    def accepted(self) -> dict[str, str]:
        """The record of every event that the intake has accepted, by event id."""
        return {answer.event_id: answer.record for answer in self.answers if answer.status == "accepted"}

    def save(self, path: Path) -> None:
        """Keep it for whoever looks into a violation."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(**told | {"answers": [Answer(**answer) for answer in told["answers"]]})

"""A plan: what would be changed in an environment, why not all of it can be, and what follows from it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from integration.errors import ConfigurationError

FORMAT_VERSION: Final = "1.1"
"""Of `--json` and of plan files; the first number changes when a reader has to."""

CREATE, UPDATE, REPLACE, DELETE = "create", "update", "replace", "delete"
_ACTIONS = {CREATE: ["create"], UPDATE: ["update"], REPLACE: ["delete", "create"], DELETE: ["delete"]}


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `before` is what is there (None for a create), `after` what is declared (None for a delete).

    `id` is that of what is there. `consequences` say in words what the change means.
    """

    address: str
    kind: str
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    id: str | None = None
    description: str = ""
    consequences: tuple[str, ...] = ()

    @property
    def differs(self) -> list[str]:
        """The fields that differ."""
        before, after = self.before or {}, self.after or {}
        return [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the plan cannot be carried out."""

    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes in the order in which they are made, for the organisation in which they were planned.

    `estimates` are no part of what identifies a plan: rows come and go.
    """

    url: str
    organisation: str
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    unchanged: tuple[str, ...] = ()
    estimates: tuple[Problem, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 for no changes, 1 for a plan that cannot be carried out, 2 for changes."""
        if self.problems:
            return 1
        return 2 if self.changes else 0

    def count(self, *actions: str) -> int:
        """How many changes are one of these."""
        return sum(it.action in actions for it in self.changes)

    def fingerprint(self) -> str:
        """The same for two plans that were made of the same declaration in the same state of the environment."""
        text = json.dumps(self._content(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def document(self) -> dict[str, Any]:
        """As JSON. It has no secrets: of a secret it says only whether it is set."""
        estimates = [{"address": it.address, "text": it.text} for it in self.estimates]
        return {
            "format_version": FORMAT_VERSION,
            **self._content(),
            "estimates": estimates,
            "fingerprint": self.fingerprint(),
        }

    def _content(self) -> dict[str, Any]:
        return {
            "organisation": {"id": self.organisation, "url": self.url},
            "changes": [
                {
                    "address": it.address,
                    "kind": it.kind,
                    "actions": _ACTIONS[it.action],
                    "id": it.id,
                    "before": it.before,
                    "after": it.after,
                    "differs": it.differs,
                    "consequences": list(it.consequences),
                }
                for it in self.changes
            ],
            "unchanged": list(self.unchanged),
            "errors": [{"address": it.address, "text": it.text} for it in self.problems],
            "notes": [{"address": it.address, "text": it.text} for it in self.notes],
        }


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a plan file says: whose it is, and what it was made of."""

    organisation: str
    url: str
    fingerprint: str

    @classmethod
    def read(cls, path: Path) -> "SavedPlan":
        """Read a file of `plan --out`; raises `ConfigurationError` for anything else."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            version = str(found["format_version"])
            saved = cls(found["organisation"]["id"], found["organisation"]["url"], found["fingerprint"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{path} is not a plan: {error}") from error
        if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
            raise ConfigurationError(f"{path} has the format {version}; this version reads {FORMAT_VERSION}")
        return saved

    def check(self, now: Plan) -> None:
        """Raise `ConfigurationError` where the plan is not that of `now`: another organisation, or it has changed."""
        if self.organisation != now.organisation:
            raise ConfigurationError(
                f"The plan was made for {self.url} (organisation {self.organisation}), and this is {now.url} "
                f"(organisation {now.organisation}). Nothing was changed."
            )
        if self.fingerprint != now.fingerprint():
            raise ConfigurationError(
                "The environment, the flows or the declaration have changed since the plan was made. Nothing was "
                "changed; plan again."
            )


def save(plan: Plan, path: Path) -> None:
    """Write a plan file."""
    path.write_text(json.dumps(plan.document(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

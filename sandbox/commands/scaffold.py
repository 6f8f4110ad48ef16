"""The files of a new flow: its declaration, its test, its page, and its line in the site's navigation."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

SCHEMA = Path("docs") / "reference" / "dataverse" / "schema.json"
NAVIGATION = Path("mkdocs.yml")
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,89}")
_SYSTEM = re.compile(r"[a-z][a-z0-9]{0,30}")
_COMPUTED = "fullname"
"""The name of people, which Dataverse makes of two columns."""
_FLOWS = "      - Flows:\n"

_FLOW = Template('''\
"""$rows: $system has each of them in the state of its row."""

from integration.flow import Answer, Columns, Flow, Kit, choice, text
from integration.systems import Message
from integration.systems.rest import Resources


class $class_name(Columns):
    """What is read of a row. `integration.flow` has a function for each kind of column."""

    name = text("$name_column", default="(no name)")$made_of
    state = choice("statecode", $states)


class Sent(Message):
    """What $system gets."""

    name: str
    state: str | None
    source_version: int


class Known(Message):
    """What is read in the answer of $system."""

    source_version: int


flow = Flow($class_name, table="$table", entity_set="$entity_set")


def sent(row: $class_name) -> Sent:
    """A row in the words of $system."""
    return Sent(name=row.name, state=row.state, source_version=row.version)


@flow.effect("$system-$table", system="$system", done="$system has the state of the row")
async def put(row: $class_name, kit: Kit, key: str) -> Answer:
    """Create it there, or bring it to the state of the row."""
    system: Resources = kit.system("$system")
    known = await system.put(
        f"$entity_set/{row.id}", sent(row), Known, key=f"{key}:{row.version}", context=kit.context, force=kit.forced
    )
    return {"sourceVersion": known.source_version}


@flow.deleted("$system-$table")
async def remove(kit: Kit) -> str:
    """Remove it there, if it was ever sent."""
    if not kit.effects.memory.effect("$system-$table").number:
        return "$system never had it"
    system: Resources = kit.system("$system")

    async def do(key: str) -> Answer:
        await system.delete(f"$entity_set/{kit.record_id}", key=key, context=kit.context)
        return {}

    await kit.once("$system-$table", ("removed",), do)
    return "$system has removed it"
''')

_TEST = Template('''\
"""$rows: what $system gets, for each kind of event."""

from integration.errors import Outage, Permanent
from integration.flows.$table import Known, flow
from tests.flow_kit import FlowKit, System

KNOWN = Known(source_version=1)


def started(**answers: object) -> tuple[FlowKit, System]:
    """A row, and a system that takes everything unless `answers` say otherwise."""
    system = System(**{"put": KNOWN, "delete": True, **answers})
    kit = FlowKit(flow, $system=system)
    kit.row($name_column="Contoso", statecode=$state)
    return kit, system


def test_a_new_row_is_sent_once() -> None:
    """However often its event comes."""
    kit, system = started()
    assert kit.handle("Create").state == "completed"
    assert kit.handle("Update").state == "superseded"
    assert system.called() == ["put"]
    assert system.calls[0].arguments["0"] == f"$entity_set/{kit.record_id}"
    assert system.calls[0].arguments["1"].name == "Contoso"


def test_a_change_is_sent() -> None:
    kit, system = started()
    kit.handle("Create")
    kit.row($name_column="Contoso Ltd")
    assert kit.handle("Update").detail == "$system has the state of the row"
    assert system.calls[1].arguments["1"].name == "Contoso Ltd"


def test_a_deleted_row_is_removed_and_a_restored_one_is_sent_again() -> None:
    kit, system = started()
    kit.handle("Create")
    kit.delete_row()
    assert kit.handle("Delete").detail == "$system has removed it"
    kit.row($name_column="Contoso", statecode=$state)
    kit.handle("Create")
    assert system.called() == ["put", "delete", "put"]


def test_an_event_waits_while_the_system_is_away() -> None:
    kit, _ = started(put=[Outage("away", reason="$system-unreachable"), KNOWN])
    assert kit.handle("Create").state == "waiting"
    assert kit.handle("Update").state == "completed"


def test_what_the_system_refuses_is_a_dead_letter() -> None:
    kit, _ = started(put=Permanent("no", reason="$system-rejected"))
    assert (kit.handle("Create").state, kit.handle("Update").reason) == ("dead-lettered", "$system-rejected")
''')

_PAGE = Template("""\
# $rows

What becomes of a change, as `integration/flows/$table.py` declares it.

<!-- generated: flow-$table -->
<!-- end -->
""")


class ScaffoldError(Exception):
    """The files cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class NewFlow:
    """A flow that is to be made in the repository at `root`; `entity_set` is guessed where it is not given."""

    root: Path
    table: str
    system: str
    entity_set: str | None = None

    def write(self) -> list[Path]:
        """Write all files and return them; raises `ScaffoldError`, and then has written nothing."""
        self._check()
        files = {self.root / path: text for path, text in self._files()}
        if there := [path for path in files if path.exists()]:
            raise ScaffoldError(f"{there[0].relative_to(self.root)} exists already. Take another table, or change it.")
        files[self.root / NAVIGATION] = self._navigation()
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return list(files)

    def _check(self) -> None:
        if _TABLE.fullmatch(self.table) is None:
            raise ScaffoldError(f"{self.table} is not the logical name of a table, such as lead or new_visit.")
        if _SYSTEM.fullmatch(self.system) is None:
            raise ScaffoldError(
                f"{self.system} is not a system's name: lower-case letters and digits, such as marketing."
            )

    def _files(self) -> Iterator[tuple[Path, str]]:
        words = self._words()
        yield Path("integration") / "flows" / f"{self.table}.py", _FLOW.substitute(words)
        yield Path("tests") / "flows" / f"test_{self.table}.py", _TEST.substitute(words)
        yield Path("docs") / "reference" / "flows" / f"{self.table}.md", _PAGE.substitute(words)

    def _words(self) -> Mapping[str, str]:
        known = self._known()
        entity_set = self.entity_set or known.get("EntitySetName") or _plural(self.table)
        options: list[dict[str, Any]] = next(
            (it["OptionSet"]["Options"] for it in known.get("Attributes", ()) if it["LogicalName"] == "statecode"),
            [{"Value": 0, "Label": "Active"}, {"Value": 1, "Label": "Inactive"}],
        )
        prefix, _, own = self.table.rpartition("_")
        name_column = known.get("PrimaryNameAttribute") or (f"{prefix}_name" if prefix else "name")
        return {
            "table": self.table,
            "entity_set": entity_set,
            "system": self.system,
            "class_name": own.capitalize(),
            "rows": entity_set.rpartition("_")[2].capitalize(),
            "name_column": name_column,
            "made_of": '.also_fired_by("firstname", "lastname")' if name_column == _COMPUTED else "",
            "states": "{" + ", ".join(f'{it["Value"]}: "{it["Label"].lower()}"' for it in options) + "}",
            "state": str(options[0]["Value"]),
        }

    def _known(self) -> dict[str, Any]:
        """The table's definition, where the sandbox has it."""
        tables = json.loads((self.root / SCHEMA).read_text(encoding="utf-8"))["EntityDefinitions"]
        return next((it for it in tables if it["LogicalName"] == self.table), {})

    def _navigation(self) -> str:
        text = (self.root / NAVIGATION).read_text(encoding="utf-8")
        line = f"          - {self._words()['rows']}: reference/flows/{self.table}.md\n"
        return text.replace(_FLOWS, _FLOWS + line, 1)


def _plural(name: str) -> str:
    """The entity set name that Dataverse gives a table, in most cases."""
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"

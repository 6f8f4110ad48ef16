"""What the input parameters of a RemoteExecutionContext say: which row it is about, and what has changed."""

from collections.abc import Container, Iterator
from typing import Any

from integration.events.value_reader import Entity, ValueReader, is_row
from integration.events.values import Value

OF_A_ROW = frozenset({"Create", "Update", "Delete", "Assign", "Merge", "SetState", "SetStateDynamicEntity"})

_ABOUT_ROWS = OF_A_ROW | {"Associate", "Disassociate"}  # steps for these two messages are registered without a table
_TARGETS = ("Target", "EntityMoniker")
_PLATFORM_WRITTEN = frozenset({"modifiedon", "modifiedby", "modifiedonbehalfby"})
_PLATFORM_IMAGE = "AsynchronousStepPrimaryName"  # the asynchronous service adds it; nobody registered it
_CLOSED_BY = {  # messages that close a record name it inside the activity that closes it
    "IncidentResolution": "incidentid",
    "OpportunityClose": "opportunityid",
    "QuoteClose": "quoteid",
    "OrderClose": "salesorderid",
}
_SET_BY = {"statecode": "State", "statuscode": "Status"}


class Content:
    """The content of one context. Only the wanted values are read; the reader notes what cannot be read."""

    def __init__(self, reader: ValueReader, document: dict[str, Any], message: str) -> None:
        self._reader = reader
        self._document = document
        self._message = message
        self._parameters = dict(reader.pairs(document.get("InputParameters"), (None, "InputParameters")) or {})
        self._target_name = ""
        self.target = self._take_target()

    def record_id(self) -> str | None:
        """The record of the target, or the one that a closing activity closes."""
        if self.target is not None and self.target.id is not None:
            return self.target.id
        return next(self._closed(), None)

    def is_trimmed(self, table: str) -> bool:
        """Whether required content is missing: the platform leaves it out, or sends null or an empty list."""
        if self._document.get("InputParameters") is None:
            return True
        if self._message in ("Create", "Update"):
            return self.target is None or self.target.attributes is None
        is_about_a_row = table != "none" or self._message in _ABOUT_ROWS
        return is_about_a_row and self.target is None and not self._parameters

    def changed_columns(self, record_id: str | None) -> tuple[str, ...] | None:
        """Create: every column that was sent.

        Update: without the key and without what the platform writes on every update.

        The key column is the one that holds the record's id. None if not all names are known.
        """
        sent = self.target.attributes if self.target else None
        if sent is None or self._message not in ("Create", "Update"):
            return None
        if self._message == "Create":
            return tuple(sent)
        return tuple(it for it, value in sent.items() if it not in _PLATFORM_WRITTEN and not _is_key(value, record_id))

    def values(self, wanted: Container[str]) -> dict[str, Value]:
        """The values of the `wanted` columns of the target."""
        return self._reader.values(self.target.attributes, (None, self._target_name), wanted) if self.target else {}

    def parameters(self, wanted: Container[str]) -> dict[str, Value]:
        """The values of the other `wanted` input parameters."""
        return self._reader.values(self._parameters, None, wanted)

    def expected(self, wanted: Container[str]) -> dict[str, Value]:
        """The `wanted` columns with the values that the row will have; those that SetState sets are parameters.

        All or none: a comparison of some columns could match a row that does not show the change yet.
        """
        sent: dict[str, Any] = {}
        if self._message in ("Create", "Update") and self.target and self.target.attributes:
            sent = self.target.attributes
        elif self._message.startswith("SetState"):
            sent = {column: self._parameters[name] for column, name in _SET_BY.items() if name in self._parameters}
        at = (None, self._target_name)
        read = self._reader.values(sent, at, wanted)
        unread = [name for name in sent if name in wanted and name not in read]
        for name in unread:
            self._reader.left_out((at, name))
        return {} if unread else read

    def images(self, key: str, record_id: str | None, wanted: Container[str]) -> dict[str, Value]:
        """The `wanted` columns of the registered images under `key`, merged, because they show one row at one moment.

        An image of another row (Merge has one of the subordinate) is left out.
        """
        merged: dict[str, Value] = {}
        if not wanted:
            return merged
        for alias, image in (self._reader.pairs(self._document.get(key), (None, key)) or {}).items():
            at = ((None, key), alias)
            if alias == _PLATFORM_IMAGE or image is None:
                continue
            if not is_row(image):
                self._reader.left_out(at)
                continue
            row = self._reader.entity(image, at)
            if row.id in (None, record_id):
                merged |= self._reader.values(row.attributes, at, wanted)
        return merged

    def _take_target(self) -> Entity | None:
        """Take the target out of the parameters; a custom API's own parameter of that name remains a parameter."""
        for name in _TARGETS:
            raw = self._parameters.get(name)
            if is_row(raw):
                self._target_name = name
                return self._reader.entity(self._parameters.pop(name), (None, name))
            if raw is None or self._message in _ABOUT_ROWS:
                self._parameters.pop(name, None)
            if raw is not None and self._message in _ABOUT_ROWS:
                self._reader.left_out((None, name))
        return None

    def _closed(self) -> Iterator[str]:
        for name, column in _CLOSED_BY.items():
            if is_row(raw := self._parameters.get(name)):
                closed = self._reader.entity(raw, (None, name)).attributes or {}
                if is_row(row := closed.get(column)) and (found := self._reader.guid(row.get("Id"), (None, name))):
                    yield found


def _is_key(value: object, record_id: str | None) -> bool:
    return isinstance(value, str) and len(value) == 36 and value.lower() == record_id

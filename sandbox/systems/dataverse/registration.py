"""Which registered steps a change fires."""

from sandbox.systems.dataverse import managed_identity, service_bus
from sandbox.systems.dataverse.bypass import ASYNCHRONOUS, SYNCHRONOUS
from sandbox.systems.dataverse.change import Change
from sandbox.systems.dataverse.context import Image, Step
from sandbox.systems.dataverse.external_messages import METADATA
from sandbox.systems.dataverse.store import Row, Store

REGISTRATION_TABLES = frozenset(
    {"serviceendpoint", "sdkmessageprocessingstep", "sdkmessageprocessingstepimage", "sdkmessagefilter", "sdkmessage"}
    | {METADATA, managed_identity.TABLE}
)
PUBLISHING_CONTRACTS = frozenset({8, *service_bus.CONTRACTS})
"""Webhook, queue, topic and hub; endpoints of other contracts are registered, and nothing is sent to them."""
ENABLED = 0


class Registrations:
    """The enabled steps, read once and again after a registration has changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._steps: list[Step] | None = None

    def changed(self) -> None:
        """A registration table was written."""
        self._steps = None

    def fired_by(self, change: Change) -> list[Step]:
        """Steps for a change, in order of stage and rank.

        Filtering attributes are compared with what was sent, not with what differs: Dataverse does not compare values.
        """
        if self._steps is None:
            self._steps = sorted(self._read(), key=lambda step: (step.stage, step.rank))
        return [step for step in self._steps if _fires(step, change)]

    def _read(self) -> list[Step]:
        endpoints = {
            row.id for row in self._store.rows("serviceendpoint") if row.values.get("contract") in PUBLISHING_CONTRACTS
        }
        messages = {row.id: str(row.values["name"]) for row in self._store.rows("sdkmessage")}
        filters = {row.id: row.values["primaryobjecttypecode"] for row in self._store.rows("sdkmessagefilter")}
        images: dict[str, list[Image]] = {}
        for row in self._store.rows("sdkmessageprocessingstepimage"):
            owner = row.values["sdkmessageprocessingstepid"]["id"]
            images.setdefault(owner, []).append(_image(row))
        return [
            _step(row, messages, filters, tuple(images.get(row.id, ())))
            for row in self._store.rows("sdkmessageprocessingstep")
            if row.values["statecode"] == ENABLED and _id(row, "eventhandler") in endpoints
        ]


def _fires(step: Step, change: Change) -> bool:
    if step.message != change.message or step.table not in {None, change.table.name}:
        return False
    kind = ASYNCHRONOUS if step.asynchronous else SYNCHRONOUS
    if step.id in change.request.bypassed_steps or kind in change.request.bypassed_logic:
        return False
    if not step.filtering:
        return True
    return any(not step.filtering.isdisjoint(each.target) for each in change.rows or (change,))


def _step(row: Row, messages: dict[str, str], filters: dict[str, str], images: tuple[Image, ...]) -> Step:
    values = row.values
    return Step(
        id=row.id,
        name=values["name"],
        message=messages[_id(row, "sdkmessageid")],
        table=filters.get(_id(row, "sdkmessagefilterid")),
        asynchronous=values["mode"] == 1,
        stage=values["stage"],
        rank=values.get("rank") or 1,
        filtering=frozenset(_names(values.get("filteringattributes"))),
        auto_delete=bool(values.get("asyncautodelete")),
        endpoint_id=_id(row, "eventhandler"),
        images=images,
    )


def _image(row: Row) -> Image:
    values = row.values
    alias = values.get("entityalias") or values["name"]
    return Image(alias, values["imagetype"], tuple(_names(values.get("attributes"))))


def _names(listed: str | None) -> list[str]:
    return [name.strip() for name in (listed or "").split(",") if name.strip()]


def _id(row: Row, column: str) -> str:
    value = row.values.get(column)
    return str(value["id"]) if value else ""

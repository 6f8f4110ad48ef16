"""Rules of the event framework and of customisation that a declaration may break: errors of a plan.

Sources: "Register a plug-in", "Event framework", "Use webhooks", and the references of the tables serviceendpoint,
sdkmessageprocessingstep and sdkmessageprocessingstepimage, all in the Dataverse developer documentation.
"""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from integration.dataverse.external import CREATED, DELETED, UPDATED
from integration.flow import Flow
from integration.flow.discovery import AnyFlow
from integration.flow.event_flow import NO_TABLE
from integration.registration import custom_api_rules
from integration.registration.declaration import Declaration
from integration.registration.endpoints import MANAGED_IDENTITY
from integration.registration.items import Item, State, of_step
from integration.registration.plan import Problem
from integration.registration.steps import ASYNCHRONOUS, POST_OPERATION, PRE_OPERATION, PRE_VALIDATION, SYNCHRONOUS
from integration.registration.wanted import POST_IMAGE, PRE_IMAGE

BOTH_IMAGES = 2
_LONGEST_URL, _LONGEST_STEP_NAME, _KEYS_AT_MOST = 2000, 256, 10
_WITH_IMAGES = {
    "Create": {"Id", "Target"},
    "SetState": {"EntityMoniker"},
    "SetStateDynamicEntity": {"EntityMoniker"},
    "DeliverIncoming": {"EmailId"},
    "DeliverPromote": {"EmailId"},
    "Send": {"EmailId"},
} | {message: {"Target"} for message in ("Update", "Delete", "Assign", "Merge", "Route")}
"""Messages that can have images, and the names of the property that an image is of."""
_EXTERNAL = {CREATED, UPDATED, DELETED}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def broken(items: Iterable[Item], state: State) -> Iterator[Problem]:
    """Every rule that a declared item breaks."""
    items = list(items)
    steps = {it.name: it for it in items if it.kind == "step"}
    columns = {it.name for it in items if it.kind == "column"}
    external = {it.name for it in items if it.kind == "virtual-events"}
    columns |= {f"{table}.{name}" for table, names in state.columns.items() for name in names}
    for item in items:
        if item.kind == "step":
            texts = _step(item, state, external)
        elif item.kind == "image":
            texts = _image(item, steps, columns)
        elif item.kind == "endpoint":
            texts = _endpoint(item, state)
        elif item.kind == "role":
            texts = _role(item)
        elif item.kind in {"column", "change-tracking"}:
            texts = _table(item, state)
        elif item.kind == "solution":
            texts = _solution(items, state)
        elif item.kind == "data-source":
            texts = _data_source(item)
        elif item.kind == "virtual-table":
            texts = _virtual_table(item, state)
        else:
            texts = iter(())
        yield from (Problem(item.address, text) for text in texts)
    yield from _keys(items, state)
    yield from custom_api_rules.broken(items, state)
    declared = {it.address for it in items}
    twice = (it for it in state.twice if it in declared)
    yield from (Problem(it, "is there twice: every event is sent twice; delete one of them") for it in twice)


def untracked(flows: Iterable[AnyFlow], declaration: Declaration, state: State) -> Iterator[Problem]:
    """Flows that ask for change tracking where it is not declared, and where the table does not have it anyway."""
    if declaration.change_tracking:
        return
    for flow in flows:
        if isinstance(flow, Flow) and flow.change_tracking:
            found = state.found.get(f"change-tracking.{flow.table}")
            if found is None or not found.fields["enabled"]:
                yield Problem(
                    f"change-tracking.{flow.table}",
                    "is off, and the flow of the table asks for it: declare change-tracking = true, or take "
                    "change_tracking from the flow",
                )


def _step(item: Item, state: State, external: set[str]) -> Iterator[str]:
    fields = item.fields
    table, message, _ = of_step(item.name)
    yield from _mode(item)
    if fields["rank"] < 1:
        yield "the rank has to be 1 or more"
    if len(fields["name"]) > _LONGEST_STEP_NAME:
        yield f"the name has more than {_LONGEST_STEP_NAME} characters"
    if fields["filteringattributes"] and message != "Update" and table != NO_TABLE:
        yield f"filtering attributes are for Update only, not for {message}"
    if table == NO_TABLE or (message in _EXTERNAL and table in external):
        return
    if message in _EXTERNAL:
        yield f"nobody reports changes of {table}: it is no virtual table here, or [virtual-tables] has events = false"
        return
    if table not in state.columns:
        yield f"there is no table {table} in this environment"
        return
    if unknown := sorted(set(fields["filteringattributes"]) - state.columns[table]):
        yield f"the table {table} has no column {', '.join(unknown)}, which the step names"
    found = state.filters.get((table, message))
    if found is None:
        yield f"the table {table} has no message {message}"
    elif not found.steps_allowed:
        yield f"Dataverse allows no steps on {message} of {table}"


def _mode(item: Item) -> Iterator[str]:
    fields = item.fields
    if fields["stage"] not in {PRE_VALIDATION, PRE_OPERATION, POST_OPERATION}:
        yield "the stage has to be 10 (PreValidation), 20 (PreOperation) or 40 (PostOperation)"
    elif fields["mode"] == ASYNCHRONOUS and fields["stage"] != POST_OPERATION:
        yield "an asynchronous step runs in stage 40 (PostOperation) only"
    if fields["mode"] == SYNCHRONOUS and fields["asyncautodelete"]:
        yield "a synchronous step has no jobs to delete: set delete-completed-jobs to false"


def _image(item: Item, steps: dict[str, Item], columns: set[str]) -> Iterator[str]:
    fields, step_name = item.fields, item.name.rpartition(".")[0]
    table, message, _ = of_step(step_name)
    step = steps.get(step_name)
    if message not in _WITH_IMAGES:
        yield f"a step on {message} can have no images"
    elif fields["messagepropertyname"] not in _WITH_IMAGES[message]:
        yield f"an image on {message} is of {' or '.join(sorted(_WITH_IMAGES[message]))}"
    if message == "Create" and fields["imagetype"] != POST_IMAGE:
        yield "there is no row before Create: only a post image is possible"
    if message == "Delete" and fields["imagetype"] != PRE_IMAGE:
        yield "there is no row after Delete: only a pre image is possible"
    if step is not None and step.fields["stage"] != POST_OPERATION and fields["imagetype"] != PRE_IMAGE:
        yield "a post image is possible in stage 40 (PostOperation) only"
    if not fields["attributes"]:
        yield "an image has to list its columns: without them every column is sent, and more than 256 KB is cut off"
    if unknown := [it for it in fields["attributes"] if f"{table}.{it}" not in columns]:
        yield f"the table {table} has no column {', '.join(unknown)}"


def _data_source(item: Item) -> Iterator[str]:
    parts = urlsplit(str(item.fields["msdyn_uri"]))
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        yield "Dataverse reads virtual tables over https only"


def _virtual_table(item: Item, state: State) -> Iterator[str]:
    if state.data_provider is None:
        yield "the environment has no OData v4 data provider: Microsoft's solution of that name is missing"
    found = state.found.get(item.address)
    if found is not None and found.fields["external"] is None:
        yield "exists, and is no virtual table: declare another prefix, or rename it"


def _role(item: Item) -> Iterator[str]:
    for name in item.fields["privileges"]:
        if not name.startswith("prv"):
            yield f"this environment has no privilege for {name}, which the flows need"


def _endpoint(item: Item, state: State) -> Iterator[str]:
    if item.fields["authtype"] == MANAGED_IDENTITY and not state.takes_identity:
        yield "service endpoints have no managed identity in this environment: give [bus] a key in its place"
    if "url" not in item.fields:
        return
    url = str(item.fields["url"])
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        yield "the webhook's address has to be https"
    if parts.hostname in _LOOPBACK and urlsplit(state.url).hostname not in _LOOPBACK:
        yield f"the webhook's address is on this machine, where {state.url} cannot reach it"
    if len(url) > _LONGEST_URL:
        yield f"the webhook's address has more than {_LONGEST_URL} characters"


def _table(item: Item, state: State) -> Iterator[str]:
    table = item.name.partition(".")[0]
    if table not in state.columns:
        yield f"there is no table {table} in this environment"


def _solution(items: list[Item], state: State) -> Iterator[str]:
    publisher = next((it for it in items if it.kind == "publisher"), None)
    if publisher is None:
        return
    found, prefix = state.found.get(publisher.address), publisher.fields["customizationprefix"]
    there = state.publisher_prefix
    if there is None and found is not None and not found.owned:
        there = found.fields["customizationprefix"]
    if there is not None and there != prefix:
        yield f"its publisher's prefix is {there}, and the columns are declared with {prefix}"


def _keys(items: list[Item], state: State) -> Iterator[Problem]:
    for table in dict.fromkeys(it.name.partition(".")[0] for it in items if it.kind == "key"):
        declared = {it.name for it in items if it.kind == "key" and it.name.startswith(f"{table}.")}
        there = {it.name for it in state.found.values() if it.kind == "key" and it.name.startswith(f"{table}.")}
        if len(declared | there) > _KEYS_AT_MOST:
            yield Problem(f"key.{table}", f"a table has at most {_KEYS_AT_MOST} alternate keys")

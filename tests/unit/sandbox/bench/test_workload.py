"""The events that are sent."""

import json
import time

from sandbox.bench.workload import Workload, calls

FRESH = ("PrimaryEntityId", "OperationId", "RequestId", "CorrelationId")


def test_every_event_has_ids_of_its_own() -> None:
    """Two events share no id, so none is taken for a duplicate of another."""
    one, other = (json.loads(event.body) for event in Workload().events(2))
    for name in FRESH:
        assert one[name] != other[name]


def test_events_happen_now() -> None:
    """A fixed time would put all of them in one partition of the ledger, as events never are."""
    before = time.time() * 1000
    body = json.loads(Workload().events(1)[0].body)
    at = int(body["OperationCreatedOn"].removeprefix("/Date(").removesuffix("+0000)/"))
    assert before - 1 <= at <= time.time() * 1000


def test_the_record_is_named_where_the_context_and_its_target_name_it() -> None:
    """The audit asks for effects by this id."""
    event = Workload().events(1)[0]
    body = json.loads(event.body)
    assert body["PrimaryEntityId"] == body["InputParameters"][0]["value"]["Id"] == event.record


def test_the_rest_is_as_it_was_captured() -> None:
    """The body keeps its 14 KB: images, parent context, output parameters."""
    body = Workload().events(1)[0].body
    assert len(body) > 9_000
    assert {"PreEntityImages", "PostEntityImages", "ParentContext"} <= json.loads(body).keys()


def test_the_key_is_in_the_query() -> None:
    """As Dataverse sends a webhook key."""
    (call,) = calls(Workload().events(1), "secret")
    assert (call.method, call.path) == ("POST", "/api/dataverse/webhook?code=secret")

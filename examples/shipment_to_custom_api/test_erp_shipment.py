"""Shipments: the custom API is called once for each state, with the same key when it is called again in doubt."""

from datetime import UTC, datetime
from typing import Any

from examples.shipment_to_custom_api.erp_shipment import flow
from integration.errors import NotFound, Outage, Permanent
from integration.systems import OrderReport
from tests.flow_kit import System
from tests.inbound_kit import InboundKit

SHIPPED = OrderReport(number="SO-1", status="shipped", shipped_at=datetime(2026, 11, 20, 9, tzinfo=UTC))
INVOICED = SHIPPED.model_copy(update={"status": "invoiced"})


def kit_of(*reports: Any) -> InboundKit:
    return InboundKit(flow, erp=System(order_report=list(reports)))


def test_a_shipment_is_reported_once_however_often_its_event_comes() -> None:
    kit = kit_of(SHIPPED)
    assert kit.handle("shipment-posted", "o-1").detail == "new_ReportShipment was called for shipment SO-1"
    assert kit.handle("shipment-changed", "o-1").state == "superseded"
    [(name, parameters)] = kit.dataverse.called
    assert name == "new_ReportShipment"
    assert parameters | {"RepeatKey": "k"} == {
        "OrderNumber": "SO-1",
        "Status": "shipped",
        "ShippedOn": "2026-11-20T09:00:00.000Z",
        "RepeatKey": "k",
    }


def test_another_state_is_another_call_with_another_key() -> None:
    kit = kit_of(SHIPPED, INVOICED)
    kit.handle("shipment-posted", "o-1")
    kit.handle("shipment-changed", "o-1")
    keys = [parameters["RepeatKey"] for _, parameters in kit.dataverse.called]
    assert len(set(keys)) == 2


def test_what_is_not_shipped_yet_or_not_there_is_not_reported() -> None:
    missing = NotFound("no such order", reason="erp-not-found", service="erp")
    for report in (SHIPPED.model_copy(update={"status": "confirmed"}), missing):
        kit = kit_of(report)
        assert kit.handle("shipment-posted", "o-1").detail == "erp has no such shipment any more"
        assert kit.dataverse.called == []


def test_a_call_whose_answer_was_lost_is_repeated_with_its_key() -> None:
    """It may have run: the key lets the custom API know the repetition."""
    kit = kit_of(SHIPPED)
    kit.dataverse.answers = [Outage("lost", reason="dataverse-timeout", service="dataverse")]
    assert kit.handle("shipment-posted", "o-1").state == "waiting"
    assert kit.handle("shipment-posted", "o-1").state == "completed"
    first, second = (parameters["RepeatKey"] for _, parameters in kit.dataverse.called)
    assert first == second


def test_a_refusal_of_the_plug_in_is_a_dead_letter() -> None:
    kit = kit_of(SHIPPED)
    kit.dataverse.answers = [Permanent("refused", reason="dataverse-plugin-refused", service="dataverse")]
    outcome = kit.handle("shipment-posted", "o-1")
    assert (outcome.state, outcome.reason) == ("dead-lettered", "dataverse-plugin-refused")
    assert kit.handle("shipment-changed", "o-1").state == "completed"

"""Leads: what marketing gets, and what comes back."""

import pytest

from examples.lead_to_marketing.lead import Known, flow, prospect
from tests.flow_kit import FlowKit, System, row_of

OPEN, QUALIFIED, DISQUALIFIED = 0, 1, 2


def started() -> tuple[FlowKit, System]:
    marketing = System(put=Known(number="P-1"), delete=True)
    kit = FlowKit(flow, marketing=marketing)
    kit.row(fullname="Ada Fischer", companyname="Fabrikam", leadqualitycode=1, statecode=OPEN)
    return kit, marketing


def test_choices_become_words() -> None:
    row = row_of(flow, fullname="Ada", leadqualitycode=2, new_interests="3,1", donotbulkemail=True)
    sent = prospect(row)
    assert (sent.temperature, sent.interests, sent.may_be_mailed) == ("warm", ["bikes", "rental"], False)


def test_an_option_that_nobody_has_decided_on_is_a_dead_letter() -> None:
    kit, marketing = started()
    kit.row(leadqualitycode=7)
    outcome = kit.handle("Update", changed=["leadqualitycode"])
    assert (outcome.state, outcome.reason, marketing.called()) == ("dead-lettered", "choice-unmapped", [])
    assert kit.sync_status == 2


def test_an_open_lead_is_a_prospect_and_gets_its_number() -> None:
    kit, marketing = started()
    outcome = kit.handle("Create")
    assert outcome.steps == ["marketing-prospect: prospect P-1", "write-back: prospectnumber"]
    assert (marketing.called(), kit.written) == (["put"], {"prospectnumber": "P-1"})


@pytest.mark.parametrize("state", [QUALIFIED, DISQUALIFIED])
def test_a_closed_lead_is_removed_and_an_open_one_comes_back(state: int) -> None:
    kit, marketing = started()
    kit.handle("Create")
    kit.row(statecode=state)
    kit.handle("Update", changed=["statecode"])
    kit.row(statecode=OPEN)
    kit.handle("Update", changed=["statecode"])
    assert marketing.called() == ["put", "delete", "put"]


def test_a_lead_that_was_never_open_is_not_removed() -> None:
    kit, marketing = started()
    kit.row(statecode=DISQUALIFIED)
    kit.handle("Create")
    assert marketing.called() == []


def test_a_deleted_lead_is_removed_once() -> None:
    kit, marketing = started()
    kit.handle("Create")
    kit.delete_row()
    assert kit.handle("Delete").state == "completed"
    kit.handle("Delete")
    assert marketing.called() == ["put", "delete"]


def test_an_update_is_sent_for_what_a_computed_name_is_made_of() -> None:
    assert {"firstname", "lastname"} < set(flow.filtering_attributes)
    assert "fullname" not in flow.filtering_attributes

"""The Creditsafe adapter against its stand-in: who is scored, what comes of it, and what is charged."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from integration.errors import IntegrationError, Outage, Permanent, Throttled, Transient
from integration.systems import Company
from tests.contract.integration.systems.creditsafe.bench import LIMITS, Bench
from tests.contract.integration.systems.story import Boundaries, Call, KilledError, killed, killed_after

TRIES = 40


@pytest.mark.parametrize(
    ("company", "amount", "currency", "decision"),
    [
        ({}, 250_000, "EUR", "approved"),
        ({"band": "A"}, 1, "EUR", "approved"),
        ({}, 250_001, "EUR", "review"),
        ({}, 1, "USD", "review"),
        ({"limit": None}, 1, "EUR", "review"),
        ({"limit": "No limit", "currency": None}, 1, "EUR", "review"),
        ({"band": "C"}, 1, "EUR", "review"),
        ({"band": "E", "value": "Not Scored"}, 1, "EUR", "review"),
        ({"band": "new"}, 1, "EUR", "review"),
        ({"band": "D"}, 1, "EUR", "refused"),
        ({"status": "NonActive"}, 1, "EUR", "refused"),
        ({"no_report": True}, 1, "EUR", "review"),
    ],
)
async def test_a_rating_and_an_amount_make_a_decision(
    bench: Bench, company: dict[str, Any], amount: int, currency: str, decision: str
) -> None:
    """What is not known never counts as a limit of 0, or as none."""
    bench.companies(company)
    assert (await bench.ask(amount=Decimal(amount), currency=currency)).decision == decision


async def test_score_limit_and_band_come_from_the_report(bench: Bench) -> None:
    """A country's own scale becomes that of the port."""
    bench.companies({"value": "72", "limit": 250_000, "band": "B"})
    score = await bench.ask()
    assert (score.score, score.band, score.limit, score.limit_currency) == (720, "B", Decimal(250_000), "EUR")
    assert score.score_id == f"AT-0-{bench.number}"


async def test_a_company_is_charged_once_for_all_amounts_until_its_report_is_old(bench: Bench) -> None:
    """By another process, too: what is known is in the store that all share."""
    decisions = [(await bench.ask(amount=Decimal(it))).decision for it in (48_000, 320_000, 10)]
    assert (decisions, bench.charged()) == (["approved", "review", "approved"], 1)
    bench.clock.move(30 * 86_400 + 1)
    await bench.ask()
    assert bench.charged() == 2


@pytest.mark.parametrize("country", ["Austria", "austria ", "Österreich", "AT", "at"])
async def test_a_country_may_be_a_word_or_its_code(bench: Bench, country: str) -> None:
    score = await bench.ask(company=Company(registration_number=f" {bench.number} ", country=country))
    assert score.score_id.startswith("AT-")


@pytest.mark.parametrize(
    ("company", "said"),
    [
        (None, "registration number and country"),
        (Company(country="AT"), "registration number"),
        (Company(registration_number="1"), "country"),
    ],
)
async def test_a_company_that_is_not_identified_is_a_dead_letter_that_says_what_is_missing(
    bench: Bench, company: Company | None, said: str
) -> None:
    error = await bench.refused(company=company)
    assert (type(error), error.reason) == (Permanent, "credit-company-incomplete")
    assert said in str(error)


async def test_a_person_is_for_people_to_review_and_costs_nothing(bench: Bench) -> None:
    score = await bench.ask(subject_kind="contact", company=None)
    assert (score.decision, score.score, bench.charged()) == ("review", None, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"currency": "XXX"}, "credit-rejected"), ({"country": "Atlantis"}, "credit-country-unknown")],
)
async def test_what_cannot_be_asked_is_a_dead_letter(bench: Bench, changes: dict[str, str], reason: str) -> None:
    country = changes.pop("country", "AT")
    error = await bench.refused(company=Company(registration_number=bench.number, country=country), **changes)
    assert (type(error), error.reason, bench.charged()) == (Permanent, reason, 0)


async def test_an_unknown_and_an_ambiguous_number_are_dead_letters(bench: Bench) -> None:
    """The first of several would be somebody else's rating."""
    bench.companies()
    assert (await bench.refused()).reason == "credit-company-unknown"
    bench.companies({}, {"name": "Another"})
    error = await bench.refused()
    assert (type(error), error.reason, bench.charged()) == (Permanent, "credit-company-ambiguous", 0)


async def test_a_country_outside_the_contract_is_a_dead_letter(bench: Bench) -> None:
    """Not an outage: companies of other countries are still scored."""
    error = await bench.refused(company=Company(registration_number=bench.number, country="RO"))
    assert (type(error), error.reason) == (Permanent, "credit-not-in-contract")


async def test_without_a_subscription_everything_waits(bench: Bench) -> None:
    bench.system.control("POST", "setup", json={"subscribed": False})
    error = await bench.refused()
    assert (type(error), error.reason) == (Outage, "credit-no-subscription")


async def test_a_token_that_has_expired_is_renewed(bench: Bench) -> None:
    adapter = bench.adapter()
    await adapter.score(**bench.question(company=Company(registration_number=f"{bench.number}1", country="AT")))
    bench.system.control("POST", "expire-tokens")
    assert (await adapter.score(**bench.question())).decision == "approved"
    assert bench.charged() == 1


async def test_a_token_is_renewed_before_its_hour_is_over(bench: Bench) -> None:
    """The call goes on with the token that is still valid, while the next one is fetched."""
    adapter = bench.adapter()
    await adapter.score(**bench.question(company=Company(registration_number=f"{bench.number}1", country="AT")))
    bench.system.control("DELETE", "requests")
    bench.clock.move(3_500)
    await adapter.score(**bench.question())
    paths: list[str] = []
    for _ in range(200):
        paths = [it["path"] for it in bench.system.control("GET", "requests").json()]
        if "/v1/authenticate" in paths:
            break
        await asyncio.sleep(0.05)
    assert paths.count("/v1/authenticate") == 1


async def test_a_wrong_password_is_not_tried_until_nobody_is_let_in(bench: Bench) -> None:
    """Five equal mistakes within two minutes would lock everybody out."""
    adapter = bench.adapter(password="wrong")
    bench.system.control("DELETE", "requests")
    for _ in range(8):
        with pytest.raises(Outage) as raised:
            await adapter.score(**bench.question())
        assert raised.value.reason == "credit-sign-in-refused"
        bench.clock.move(15)
    paths = [it["path"] for it in bench.system.control("GET", "requests").json()]
    assert paths.count("/v1/authenticate") == 2
    await bench.ask()


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ({"status": 400}, Permanent, "credit-rejected"),
        ({"status": 404}, Permanent, "credit-company-unknown"),
        ({"status": 429}, Throttled, "credit-throttled"),
        ({"status": 500}, Transient, "credit-failed"),
        ({"status": 503}, Outage, "credit-unavailable"),
        ({"status": 302, "gateway": True}, Permanent, "credit-report-too-large"),
        ({"status": 403, "gateway": True}, Outage, "credit-answer-unreadable"),
        ({"status": 404, "gateway": True}, Outage, "credit-answer-unreadable"),
        ({"status": 200, "gateway": True}, Outage, "credit-answer-unreadable"),
        ({"status": 403, "body": '{"message": "Forbidden"}'}, Outage, "credit-answer-unreadable"),
        ({"status": 200, "body": '{"report": {}}', "after": True}, Permanent, "credit-report-unreadable"),
        ({"drop": True}, Outage, "credit-unreachable"),
    ],
    ids=str,
)
async def test_every_answer_has_its_meaning(
    bench: Bench, fault: dict[str, Any], kind: type[IntegrationError], reason: str
) -> None:
    """A report that was charged and cannot be read is not asked for again; a gateway's page is an outage."""
    bench.system.fault("GET /v1/companies/", times=2, **fault)
    error = await bench.refused()
    assert (type(error), error.reason) == (kind, reason)
    if kind is Throttled:
        assert isinstance(error, Throttled)
        assert error.retry_after == 60


async def test_a_report_that_is_too_large_is_not_charged_again_and_again(bench: Bench) -> None:
    bench.set_limits(replace(LIMITS, answer_bytes=1_000))
    bench.system.fault(
        "GET /v1/companies/", status=200, times=None, after=True, body=json.dumps({"report": "x" * 2_000})
    )
    error = await bench.refused()
    assert (type(error), error.reason, bench.charged()) == (Permanent, "credit-report-too-large", 1)


async def test_who_comes_while_another_asks_waits_and_nothing_is_charged_twice(bench: Bench) -> None:
    """Two opportunities of one customer, at once."""
    answers = await asyncio.gather(*(bench.ask() for _ in range(4)), return_exceptions=True)
    waiting = [it for it in answers if isinstance(it, Transient)]
    assert {it.reason for it in waiting} == {"credit-conflict"}
    assert len(waiting) == 3
    assert (await bench.ask()).decision == "approved"
    assert bench.charged() == 1


async def request_lost(_: Boundaries, call: Call) -> object:
    """The call never arrives, and nobody says so."""
    raise Outage("no answer", reason="credit-timeout", service="credit")


async def until_scored(bench: Bench, boundaries: Boundaries) -> None:
    """As the worker does: in another process where this one has died, and later where the adapter says so."""
    adapter = bench.adapter(boundaries.around, boundaries.around_store)
    for _ in range(TRIES):
        try:
            await adapter.score(**bench.question())
        except Transient as error:
            bench.clock.move(max(error.retry_after or 0.0, 1.0))
        except KilledError:
            adapter = bench.adapter(boundaries.around, boundaries.around_store)
        else:
            return
    raise AssertionError("it was never scored")


@pytest.mark.parametrize("trouble", [killed, killed_after, request_lost], ids=lambda it: it.__name__)
async def test_trouble_at_any_boundary_charges_only_an_answer_that_was_lost(
    bench: Bench, trouble: Callable[..., Any]
) -> None:
    """A report is charged a second time only where its answer, or the note of it, was lost with the process."""
    quiet = Boundaries(0, killed)
    await until_scored(bench, quiet)
    charged = []
    for at in range(1, quiet.count + 1):
        bench.number = uuid4().hex[:10]
        await until_scored(bench, Boundaries(at, trouble))
        charged.append(bench.charged())
    # read, note that it is asked, find, report, keep: the last two are where an answer may be lost.
    assert quiet.count == len(charged) == 5
    assert charged[:3] == [1, 1, 1]
    assert charged[3] == (2 if trouble is killed_after else 1)
    assert charged[4] == (1 if trouble is killed_after else 2)

"""A user who saves is never kept waiting, and always gets a sentence."""

import asyncio
import importlib
import json
import logging
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from integration import checks
from integration.errors import ConfigurationError, Outage
from integration.flow.handler import Tools
from integration.synchronous import ALLOWED, Asked, Check, CheckResult, checks_in, refused
from integration.synchronous.answering import Answering
from integration.synchronous.functions import blueprint
from tests.unit.integration.events.support import OTHER_ROW, context, entity, pair
from tests.unit.integration.intake.support import HEADERS, UnderTest
from tests.unit.integration.intake.test_intake import logged

TOOLS = Tools(dataverse=None, rows=None, write_back=None, systems={}, flows={})  # type: ignore[arg-type] # none is used
SENTENCE = "The credit cannot be checked now. Save again in a few minutes."


class World:
    """One check, `do`, and how often it was asked; `seconds` is the limit."""

    def __init__(self, do: Any, *, seconds: float = 5.0, at_once: int = 4, **settings: Any) -> None:
        self.asked: list[str] = []
        check = Check(
            unavailable=SENTENCE,
            table=settings.pop("table", None),
            allow_unanswered=settings.pop("allow_unanswered", False),
        )

        @check.answer
        async def answer(asked: Asked) -> CheckResult:
            self.asked.append(asked.event.event_id)
            found: CheckResult = await do(asked)
            return found

        self.intake = UnderTest(**settings)
        self.answering = Answering(
            {"credit-check": check},
            self.intake.taking_in,
            self.intake.contexts,
            tools=TOOLS,
            ledger=self.intake.ledger,
            clock=self.intake.taking_in.clock,
            seconds=seconds,
            at_once=at_once,
        )

    async def call(self, body: Any, *, name: str = "credit-check", **params: str) -> func.HttpResponse:
        """Call the function as the host does."""
        app = func.FunctionApp()
        app.register_functions(blueprint(self.answering))
        (function,) = [it.get_user_function() for it in app.get_functions()]
        url, sent = f"https://app.example/api/dataverse/custom/{name}", json.dumps(body).encode()
        asked = func.HttpRequest("POST", url, headers=HEADERS, params=params, route_params={"name": name}, body=sent)
        answer = await function(asked)
        assert isinstance(answer, func.HttpResponse)
        return answer


async def allow(_: Asked) -> CheckResult:
    return ALLOWED


async def refuse(_: Asked) -> CheckResult:
    return refused("Too much: enter 5 €.")


async def hang(_: Asked) -> CheckResult:
    await asyncio.sleep(3_600)
    raise AssertionError


async def fail(_: Asked) -> CheckResult:
    raise Outage("away", reason="credit-unavailable")


async def break_down(_: Asked) -> CheckResult:
    raise ZeroDivisionError


async def test_a_step_gets_2xx_for_a_save_that_goes_through() -> None:
    assert (await World(allow).call(context())).status_code == 200


async def test_a_step_gets_the_sentence_for_one_that_is_refused() -> None:
    answer = await World(refuse).call(context())
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert answer.get_body().decode() == "Too much: enter 5 €."


@pytest.mark.parametrize(("do", "reason"), [
    (fail, "credit-unavailable"), (break_down, "unexpected-error"), (hang, "deadline-exceeded")
])  # fmt: skip
async def test_without_an_answer_in_time_a_step_gets_500_and_the_checks_sentence(
    do: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not 503: Dataverse would ask once more, and the user would wait twice."""
    caplog.set_level(logging.INFO)
    answer = await World(do, seconds=0.05).call(context())
    assert (answer.status_code, answer.get_body().decode()) == (500, SENTENCE)
    (line,) = logged(caplog, "custom-unanswered")
    assert (line["reason"], line["operation"]) == (reason, "credit-check")


async def test_a_plug_in_gets_the_result_as_json() -> None:
    """With 200: it asked, and was answered; it throws the sentence itself."""

    async def said(do: Any) -> tuple[int, Any]:
        answer = await World(do, seconds=0.05).call(context(), answer="json")
        return answer.status_code, json.loads(answer.get_body())

    assert await said(allow) == (200, {"allowed": True, "answered": True, "message": ""})
    assert await said(refuse) == (200, {"allowed": False, "answered": True, "message": "Too much: enter 5 €."})
    assert await said(fail) == (200, {"allowed": False, "answered": False, "message": SENTENCE})


async def test_a_check_may_let_saves_through_while_it_cannot_be_asked() -> None:
    world = World(fail, allow_unanswered=True)
    assert (await world.call(context())).status_code == 200


async def test_what_was_asked_goes_on_after_the_answer() -> None:
    """So that an answer that is charged is kept."""
    ended = asyncio.Event()

    async def slow(_: Asked) -> CheckResult:
        await asyncio.sleep(0.1)
        ended.set()
        return ALLOWED

    answer = await World(slow, seconds=0.01).call(context())
    assert answer.status_code == 500
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_system_that_hangs_takes_no_more_than_its_places() -> None:
    """Whoever comes then is answered at once."""
    world = World(hang, seconds=0.05, at_once=2)
    answers = await asyncio.gather(*(world.call(context()) for _ in range(5)))
    assert [it.status_code for it in answers] == [500] * 5
    assert len(world.asked) == 2


async def test_of_several_rows_each_is_asked_about_until_one_is_refused() -> None:
    several = context(
        MessageName="UpdateMultiple",
        InputParameters=[pair("Targets", {"Entities": [entity(name="A"), entity("account", OTHER_ROW, name="B")]})],
    )
    world = World(allow)
    assert (await world.call(several)).status_code == 200
    assert len(world.asked) == 2
    world = World(refuse)
    assert (await world.call(several)).status_code == 400
    assert len(world.asked) == 1


async def test_the_check_gets_the_values_that_the_message_brings() -> None:
    seen: list[Any] = []

    async def look(asked: Asked) -> CheckResult:
        seen.append((asked.event.values, asked.event.record_id))
        return ALLOWED

    await World(look).call(context())
    ((values, record_id),) = seen
    assert (dict(values), record_id) == ({"name": "Contoso"}, context()["PrimaryEntityId"])


async def test_a_step_of_another_table_is_refused_before_anything_is_asked() -> None:
    """Somebody has registered it for the wrong table: the first save says so."""
    world = World(allow, table="opportunity")
    answer = await world.call(context())
    assert (answer.status_code, "rows of opportunity" in answer.get_body().decode()) == (400, True)
    assert world.asked == []


async def test_an_own_write_is_not_asked_about() -> None:
    own = context(entity("opportunity", new_creditscore=1), SharedVariables=[pair("tag", "dataverse-integration")])
    world = World(refuse)
    assert (await world.call({**own, "PrimaryEntityName": "opportunity"})).status_code == 200
    assert world.asked == []


async def test_rights_and_keys_hold_here_too() -> None:
    """As at the other endpoints; a name that no check has is 404 and names those there are."""
    assert (await World(allow, INTAKE_KEYS='{"x": ["another-key-of-16"]}').call(context())).status_code == 401
    only = '{"dataverse": {"endpoints": ["webhook"]}}'
    assert (await World(allow, INTAKE_RIGHTS=only).call(context())).status_code == 403
    unknown = await World(allow).call(context(), name="another")
    assert (unknown.status_code, "credit-check" in unknown.get_body().decode()) == (404, True)
    assert (await World(allow).call({"MessageName": 5})).status_code == 400


def test_the_checks_of_the_app_are_found_by_their_files() -> None:
    assert [*checks_in(checks)] == ["credit-check"]


@pytest.mark.parametrize("source", ["", "from integration.synchronous import Check\ncheck = Check(unavailable='')"])
def test_a_file_that_declares_no_check_does_not_let_the_app_start(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"checks_{tmp_path.name.replace('-', '_')}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "broken.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match="declares no `check"):
        checks_in(importlib.import_module(name))

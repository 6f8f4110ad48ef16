"""The app itself finds what is not as declared, with its own sign-in and the privileges of its role."""

from pathlib import Path

import pytest

from integration.composition.drift import build_drift_check
from integration.errors import Outage
from integration.operations.drift import Drift, DriftReport, DriftReports
from integration.protection import MemoryState
from integration.registration.drift import DriftCheck
from integration.settings import Settings
from integration.transport import ApiKey, Transport
from tests.contract.integration.registration.conftest import Open
from tests.contract.integration.registration.interrupted import Interrupted
from tests.contract.integration.registration.plans import applied
from tests.contract.sandbox.systems.dataverse_client import Dataverse
from tests.memory_table import ManualClock
from tests.unit.integration.settings.test_reading import environment as settings_of_the_app


async def prepare(opened: Open, *, sees: bool) -> None:
    async with opened(app_sees_registration=sees) as environment:
        assert (await applied(environment)).plan.exit_code == 0


async def check(opened: Open, reports: DriftReports) -> DriftReport:
    """One night."""
    async with opened(app_sees_registration=True, who="application") as environment:
        await DriftCheck(lambda: environment, reports, ManualClock()).run()
    report = await reports.last()
    assert report is not None
    return report


async def test_the_app_sees_what_somebody_has_changed_and_says_it_as_the_command_does(
    opened: Open, person: Dataverse
) -> None:
    """A step that was disabled and a column that was renamed; what is not ours is no drift."""
    reports = DriftReports(MemoryState())
    await prepare(opened, sees=True)
    assert (await check(opened, reports)).drift is Drift.NONE
    step = person.get("sdkmessageprocessingsteps?$filter=name eq 'integration: Update of account'")["value"][0]
    path = f"sdkmessageprocessingsteps({step['sdkmessageprocessingstepid']})"
    person.update(path, {"statecode": 1, "statuscode": 2})
    person.create("accounts", {"name": "not ours"})
    report = await check(opened, reports)
    assert (report.drift, report.count) == (Drift.FOUND, 1)
    (found,) = report.differences
    assert (found.address, found.kind) == ("step.account.Update", "step")
    assert found.lines[:2] == ("~   step.account.Update is changed", "enabled: false -> true")
    person.update(path, {"statecode": 0, "statuscode": 1})
    assert (await check(opened, reports)).drift is Drift.NONE


async def test_without_the_right_to_see_it_the_report_says_which_line_gives_it(opened: Open) -> None:
    """The role has that right only where the environment's file asks for it."""
    await prepare(opened, sees=False)
    report = await check(opened, DriftReports(MemoryState()))
    assert report.drift is Drift.UNKNOWN
    assert "app-sees-registration = true" in report.why


async def test_while_dataverse_is_away_the_last_report_stays(opened: Open) -> None:
    reports = DriftReports(MemoryState())
    await reports.keep(DriftReport("before", Drift.NONE, 9))

    class Away(Interrupted):
        async def send(self, *_: object, **__: object) -> None:  # type: ignore[override] # it answers nothing
            raise Outage("away")

    async with opened(wrap=Away) as environment:
        with pytest.raises(Outage):
            await DriftCheck(lambda: environment, reports, ManualClock()).run()
    last = await reports.last()
    assert last is not None
    assert last.at == "before"


async def test_the_file_of_another_environment_is_no_drift_but_a_mistake(tmp_path: Path) -> None:
    """The package has the files of all environments, and the setting may name the wrong one, or none."""
    settings, reports = Settings.from_environment(settings_of_the_app()), DriftReports(MemoryState())

    async def report(text: str) -> str:
        file = tmp_path / "it.toml"
        file.write_text(text, encoding="utf-8")
        transport, tokens = Transport([], clock=ManualClock()), ApiKey("it is not used")
        found = await build_drift_check(
            settings, str(file), transport, tokens, reports=reports, clock=ManualClock()
        ).run()
        assert found.drift is Drift.UNKNOWN
        return found.why

    assert "name its own file" in await report('url = "https://another.crm4.dynamics.com"')
    url = f'url = "{settings.dataverse_url}"\n'
    assert "publisher-prefix = other" in await report(url + 'publisher-prefix = "other"')
    assert "cannot be read" in await report("this is no TOML")

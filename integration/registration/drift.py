"""Compares the environment with its declaration from inside the app: people learn of differences without asking."""

from collections.abc import Callable, Iterator
from typing import Final

from integration.clock import Clock, iso
from integration.errors import IntegrationError, Transient
from integration.operations.drift import Difference, Drift, DriftReport, DriftReports
from integration.registration import showing
from integration.registration.environment import Environment
from integration.registration.plan import Plan
from integration.telemetry import get_logger

_MISSING_RIGHT: Final = (
    " The app's user may have to be allowed to read what is registered: app-sees-registration = true in the "
    "environment's file, then run.py dataverse apply."
)
_log = get_logger(__name__)


class DriftCheck:
    """Reads as `run.py dataverse drift` does, with the app's own sign-in; `open_environment` reads the two files.

    It changes nothing in the environment.
    """

    def __init__(self, open_environment: Callable[[], Environment], reports: DriftReports, clock: Clock) -> None:
        self._open = open_environment
        self._reports = reports
        self._clock = clock

    async def run(self) -> DriftReport:
        """Compare, and keep and log what was found.

        What cannot be compared as it is (files, rights) is a report too. Raises `Transient` where Dataverse is away,
        and what the store raises; then the last report stays.
        """
        at = iso(self._clock.now())
        try:
            plan = (await self._open().read()).plan
        except Transient as error:
            _log.warning("drift-not-checked", error=error)
            raise
        except IntegrationError as error:
            _log.warning("drift-unknown", error=error)
            return await self._reports.keep(DriftReport(at, Drift.UNKNOWN, why=_why(error)))
        found = tuple(_differences(plan))
        drift = Drift.FOUND if found else Drift.NONE
        report = await self._reports.keep(DriftReport(at, drift, len(plan.unchanged), found))
        if found:
            _log.warning("drift-found", count=report.count)
        else:
            _log.info("drift-none", count=report.unchanged)
        return report


def _differences(plan: Plan) -> Iterator[Difference]:
    for problem in plan.problems:
        yield Difference(problem.address, _kind(problem.address), (f"{problem.address} {problem.text}",))
    for change in plan.changes:
        yield Difference(change.address, change.kind, tuple(line.strip() for line in showing.one(change)))


def _kind(address: str) -> str:
    return address.partition(".")[0]


def _why(error: IntegrationError) -> str:
    return str(error) + (_MISSING_RIGHT if error.reason in {"dataverse-forbidden", "dataverse-rejected"} else "")

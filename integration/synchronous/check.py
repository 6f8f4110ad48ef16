"""A check: what a synchronous step of Dataverse asks before a save goes through. One file in `integration/checks/`.

    check = Check(
        table="opportunity",
        messages=("Create", "Update"),
        attributes=("estimatedvalue",),
        unavailable="Credit scoring cannot be asked now. Save again in a few minutes.",
    )

    @check.answer
    async def credit_check(asked: Asked) -> CheckResult:
        ...

The file's name, with - for _, is the name in its address: `POST /api/dataverse/custom/credit-check`. `run.py dataverse`
registers a synchronous step for each of its messages.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Final, TypeAlias

from integration.errors import ConfigurationError
from integration.modules import modules_in
from integration.synchronous.asked import Asked


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether the save may go through, and the sentence that the user reads where it may not."""

    allowed: bool
    message: str = ""


ALLOWED: Final = CheckResult(allowed=True)


def refused(message: str) -> CheckResult:
    """The save is refused; `message` says to the user what is wrong, and what to do."""
    return CheckResult(allowed=False, message=message)


Answer: TypeAlias = Callable[[Asked], Awaitable[CheckResult]]


class Check:
    """One check, of saves of rows of `table`; without a table, of whatever it is asked about (a custom API).

    `messages` are those for which steps are registered; without them somebody has to do that, or a plug-in asks.
    `attributes` are the filtering attributes of the step on Update. `unavailable` is what the user reads where there is
    no answer in time. With `allow_unanswered`, the save then goes through, unchecked.
    """

    def __init__(
        self,
        *,
        unavailable: str,
        table: str | None = None,
        messages: Iterable[str] = (),
        attributes: Iterable[str] = (),
        allow_unanswered: bool = False,
    ) -> None:
        self.table = table
        self.messages = tuple(messages)
        self.attributes = tuple(attributes)
        if self.messages and table is None:
            raise ConfigurationError("a check with messages needs the table whose rows they are about")
        if bool(self.attributes) != ("Update" in self.messages):
            raise ConfigurationError(
                "a check with the message Update must name its columns in `attributes`; a check without it must not"
            )
        self.unavailable = unavailable
        self.allow_unanswered = allow_unanswered
        self.do: Answer | None = None

    def answer(self, do: Answer) -> Answer:
        """Declare what answers. What it raises is no result: the save is then treated as unanswered."""
        self.do = do
        return do

    async def ask(self, asked: Asked) -> CheckResult:
        """The check's own answer; raises what it raises."""
        if self.do is None:
            raise ConfigurationError("the check has no answer (@check.answer)")
        return await self.do(asked)


def checks_in(package: ModuleType) -> dict[str, Check]:
    """The checks of a package by their names; raises `ConfigurationError` for a file that declares none."""
    return {name.replace("_", "-"): _check_of(module) for name, module in modules_in(package)}


def _check_of(module: ModuleType) -> Check:
    check = getattr(module, "check", None)
    if not isinstance(check, Check) or check.do is None:
        raise ConfigurationError(f"{module.__name__} declares no `check = Check(...)` with an answer (@check.answer)")
    return check

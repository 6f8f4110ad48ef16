"""Pausing and resuming a system by hand, for all instances."""

from collections.abc import Mapping

from integration.errors import Rejected
from integration.operations.audit import Audit, Subject
from integration.protection import Switch, SystemState


class SystemControl:
    """Over the switch of each system, by name. Raises `Rejected` (404) for other names, `Transient` without tables.

    While a system is paused nothing is sent to it; its events wait without ageing, and go on once it is resumed.
    """

    def __init__(self, switches: Mapping[str, Switch], audit: Audit) -> None:
        self._switches = switches
        self._audit = audit

    async def pause(self, system: str, *, by: str, why: str) -> SystemState:
        """Hold all calls to the system back until somebody resumes; its state then."""
        switch = self._switch(system)
        async with self._audit.action("pause", Subject(system=system), by=by, why=why) as entry:
            return await switch.pause(by=by, why=entry.why)

    async def resume(self, system: str, *, by: str, why: str) -> SystemState:
        """Let calls go again; the system's state then. An open breaker lets its probe go at once."""
        switch = self._switch(system)
        async with self._audit.action("resume", Subject(system=system), by=by, why=why):
            return await switch.resume()

    async def states(self) -> dict[str, SystemState]:
        """Each system's state as all instances know it."""
        return {name: await switch.state() for name, switch in self._switches.items()}

    def _switch(self, system: str) -> Switch:
        if system not in self._switches:
            names = ", ".join(sorted(self._switches))
            raise Rejected(404, "Unknown system", f"There is no system {system[:100]}; there are {names}.")
        return self._switches[system]

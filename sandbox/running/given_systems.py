"""The app's own setting SYSTEMS in the sandbox: each system that it names gets a stand-in of its adapter's kind.

Addresses and sign-in are the sandbox's, and so is what a stand-in needs to be found (its company, its items); whatever
else the setting says of a system holds here too, such as limits and by what customers are matched.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sandbox.machine.ports import LOOPBACK
from sandbox.machine.process import HttpProbe, Program
from sandbox.running.credit import CREDITS, Credit
from sandbox.running.endpoints import Endpoints
from sandbox.running.erp import ERPS, Erp
from sandbox.running.programs import PYTHON
from sandbox.running.state import Keys

REST: Final = "rest"
_OPEN = frozenset({"matchBy", "unknownSeconds", "countries"})
"""What the sandbox says of a system only for want of something better."""
_OURS = frozenset(
    {"url", "apiKey", "apiKeyHeader", "tokenUrl", "clientId", "clientSecret", "scope", "managedIdentityScope"}
    | {"managedIdentityClientId", "clientCertificate", "relay", "relayKeyName", "relayKey", "caFile"}
    | {"username", "password", "adapter"}
)
_ERP_KINDS = {str(kind.system("")["adapter"]): name for name, kind in ERPS.items()}
_CREDIT_KINDS = {str(kind.system("")["adapter"]): name for name, kind in CREDITS.items()}


class SystemsError(Exception):
    """SYSTEMS cannot be played here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class _OfItsOwn:
    """A system with a process of its own: neither `erp` nor `credit`, nor of the REST contract for resources."""

    name: str
    kind: Erp | Credit
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def secret(self, keys: Keys) -> str:
        return keys.erp if isinstance(self.kind, Erp) else keys.credit

    def program(self, keys: Keys, data: Path) -> Program:
        """It sends no events: those of flows are of the ERP. No other process of the sandbox has such a name."""
        kind, secret = replace(self.kind, books=f"{self.name}.sqlite"), self.secret(keys)
        command = (
            kind.command(self.port, data, secret, "", "", "")
            if isinstance(kind, Erp)
            else kind.command(self.port, data, secret)
        )
        return Program(f"system-{self.name}", (str(PYTHON), "-m", *command), HttpProbe(f"{self.url}/control/health"))


@dataclass(frozen=True, slots=True)
class GivenSystems:
    """What SYSTEMS says.

    `erp` and `credit` are kinds of `ERPS` and `CREDITS`, None where it names no such system; `rest` are the names of
    systems of the REST contract for resources.
    """

    said: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    erp: str | None = None
    credit: str | None = None
    rest: tuple[str, ...] = ()
    of_their_own: tuple[_OfItsOwn, ...] = ()

    def at(self, ports: Sequence[int]) -> "GivenSystems":
        """With these ports, one for each system that has a process of its own."""
        placed = [replace(it, port=port) for it, port in zip(self.of_their_own, ports, strict=True)]
        return replace(self, of_their_own=tuple(placed))

    def programs(self, keys: Keys, data: Path) -> list[Program]:
        """The processes of those systems."""
        return [it.program(keys, data) for it in self.of_their_own]

    def added_to(self, reached: Endpoints) -> Endpoints:
        """The addresses of the sandbox, with those of these processes."""
        urls = {it.name: it.url for it in self.of_their_own}
        faults = {name: f"{url}/control/faults" for name, url in urls.items()}
        return replace(reached, others=reached.others | urls, faults=reached.faults | faults)

    def settings(self, settings: Mapping[str, str], keys: Keys) -> dict[str, str]:
        """The app's settings in the sandbox, completed by what SYSTEMS says."""
        systems: dict[str, dict[str, Any]] = json.loads(settings["SYSTEMS"])
        completed = dict(settings)
        for it in self.of_their_own:
            systems[it.name] = dict(it.kind.system(it.url))
            completed.pop(
                f"SYSTEMS_{it.name.upper()}_API_KEY", None
            )  # of the REST contract, if a flow names the system
            completed[f"SYSTEMS_{it.name.upper()}_{it.kind.key}"] = it.secret(keys)
        for name, said in self.said.items():
            ours = systems[name]
            systems[name] = ours | {
                key: value for key, value in said.items() if key in _OPEN or key not in {*_OURS, *ours}
            }
        return completed | {"SYSTEMS": json.dumps(systems)}


NONE = GivenSystems()


def read(text: str) -> GivenSystems:
    """SYSTEMS as the app reads it; raises `SystemsError`."""
    try:
        said = json.loads(text)
    except ValueError as error:
        raise SystemsError(f"SYSTEMS is no JSON: {error}.") from None
    if not isinstance(said, dict) or not all(isinstance(it, dict) for it in said.values()):
        raise SystemsError('SYSTEMS has to be an object of systems, such as {"erp": {"adapter": "rest-erp", ...}}.')
    adapters = {name: str(it.get("adapter")) for name, it in said.items()}
    _check(adapters)
    others = {name: it for name, it in adapters.items() if name not in {"erp", "credit"}}
    return GivenSystems(
        said=said,
        erp=_ERP_KINDS[adapters["erp"]] if "erp" in adapters else None,
        credit=_CREDIT_KINDS[adapters["credit"]] if "credit" in adapters else None,
        rest=tuple(name for name, it in others.items() if it == REST),
        of_their_own=tuple(
            _OfItsOwn(name, ERPS[_ERP_KINDS[it]] if it in _ERP_KINDS else CREDITS[_CREDIT_KINDS[it]])
            for name, it in others.items()
            if it != REST
        ),
    )


def _check(adapters: Mapping[str, str]) -> None:
    every = [REST, *_ERP_KINDS, *_CREDIT_KINDS]
    for name, adapter in adapters.items():
        can = {"erp": [*_ERP_KINDS], "credit": [*_CREDIT_KINDS]}.get(name, every)
        if adapter not in can:
            raise SystemsError(
                f"SYSTEMS: the sandbox has no stand-in for the system '{name}' with the adapter '{adapter}'; it has "
                f"them for {', '.join(sorted(can))}. Give '{name}' one of these here, or leave it out: where a flow "
                "needs it, the sandbox then plays it over the REST contract."
            )

"""Builds the virtual tables: every declared set whose system serves it."""

from collections.abc import Callable, Iterator

from integration.clock import Clock
from integration.composition.systems import Systems
from integration.errors import ConfigurationError
from integration.ledger import Ledger
from integration.operations.audit import Audit
from integration.public_address import PublicAddress
from integration.settings import Settings
from integration.settings.systems import BusinessCentral, System
from integration.systems.odata.adapter import ErpAdapter
from integration.systems.odata.keys import number_of
from integration.systems.rest import ErpClient
from integration.virtual_tables import sets
from integration.virtual_tables.discovery import sets_in
from integration.virtual_tables.entity_set import ServedSet
from integration.virtual_tables.reporting import ExternalChanges, ReportedSet
from integration.virtual_tables.service import Served, Service
from integration.virtual_tables.site import Site


def build_site(settings: Settings, systems: Systems, ledger: Ledger, address: PublicAddress, clock: Clock) -> Site:
    """The site; raises `ConfigurationError` for a writer without a key."""
    if unknown := set(settings.virtual_table_writers) - settings.virtual_table_keys.keys():
        raise ConfigurationError(
            f"VIRTUAL_TABLE_WRITERS: {', '.join(sorted(unknown))} has no key in VIRTUAL_TABLE_KEYS"
        )
    return Site(
        build_service(settings, systems, ledger, clock),
        settings.virtual_table_keys,
        settings.virtual_table_writers,
        settings.virtual_table_requests,
        address,
        clock,
    )


def build_service(settings: Settings, systems: Systems, ledger: Ledger, clock: Clock) -> Service:
    """The sets that are served by the systems of the settings."""
    return Service(list(_served(settings, systems)), clock, Audit(ledger, clock))


def _served(settings: Settings, systems: Systems) -> Iterator[Served]:
    for entity_set in served_sets(settings):
        name = entity_set.declared.system
        system, adapter = settings.systems[name], systems.others.get(name)
        if isinstance(adapter, ErpAdapter | ErpClient):
            yield Served.of(entity_set, system.adapter, adapter.tables, _numbers(system))


def build_changes(settings: Settings, systems: Systems) -> ExternalChanges:
    """What reports changes of the sets whose records have events."""
    reported = {
        f"{it.set.declared.system}.{it.set.declared.records}": ReportedSet(it.set, it.reading)
        for it in _served(settings, systems)
        if it.set.declared.records
    }
    return ExternalChanges(systems.dataverse, reported, settings.publisher_prefix)


def served_sets(settings: Settings) -> list[ServedSet]:
    """The declared sets as the kinds of systems of the settings serve them."""
    kinds = {name: system.adapter for name, system in settings.systems.items()}
    found = (it.of(kinds[it.system]) for it in sets_in(sets).values() if it.system in kinds)
    return [it for it in found if it is not None]


def _numbers(system: System) -> Callable[[str], str] | None:
    """How a new row gets its number of the key that Dataverse sends, in systems that take numbers."""
    if not isinstance(system, BusinessCentral):
        return None
    prefix = system.number_prefix
    return lambda key: number_of(key, prefix)

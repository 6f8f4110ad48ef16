"""Builds the virtual tables: every declared set whose system serves it."""

from collections.abc import Callable

from integration.clock import Clock
from integration.composition.systems import Systems
from integration.errors import ConfigurationError
from integration.public_address import PublicAddress
from integration.settings import Settings
from integration.settings.systems import BusinessCentral, System
from integration.systems.odata.adapter import ErpAdapter
from integration.systems.odata.keys import number_of
from integration.systems.rest import ErpClient
from integration.virtual_tables import sets
from integration.virtual_tables.discovery import sets_in
from integration.virtual_tables.service import Served, Service
from integration.virtual_tables.site import Site


def build_site(settings: Settings, systems: Systems, address: PublicAddress, clock: Clock) -> Site:
    """The site; raises `ConfigurationError` for a writer without a key."""
    if unknown := set(settings.virtual_table_writers) - settings.virtual_table_keys.keys():
        raise ConfigurationError(
            f"VIRTUAL_TABLE_WRITERS: {', '.join(sorted(unknown))} has no key in VIRTUAL_TABLE_KEYS"
        )
    return Site(
        build_service(settings, systems, clock),
        settings.virtual_table_keys,
        settings.virtual_table_writers,
        settings.virtual_table_requests,
        address,
        clock,
    )


def build_service(settings: Settings, systems: Systems, clock: Clock) -> Service:
    """The sets that are served by the systems of the settings."""
    served = []
    for declared in sets_in(sets).values():
        system, adapter = settings.systems.get(declared.system), systems.others.get(declared.system)
        if system is None or not isinstance(adapter, ErpAdapter | ErpClient):
            continue
        entity_set = declared.of(system.adapter)
        if entity_set is not None:
            served.append(Served.of(entity_set, system.adapter, adapter.tables, _numbers(system)))
    return Service(served, clock)


def _numbers(system: System) -> Callable[[str], str] | None:
    """How a new row gets its number of the key that Dataverse sends, in systems that take numbers."""
    if not isinstance(system, BusinessCentral):
        return None
    prefix = system.number_prefix
    return lambda key: number_of(key, prefix)

"""Finds entity sets: every file of a package declares one, except files whose names begin with `_`."""

from types import ModuleType

from integration.errors import ConfigurationError
from integration.modules import modules_in
from integration.virtual_tables.entity_set import EntitySet


def sets_in(package: ModuleType) -> dict[str, EntitySet]:
    """The sets by their names; raises `ConfigurationError` for a file without one, and for two with the same name."""
    found: dict[str, EntitySet] = {}
    for _, module in modules_in(package):
        declared = getattr(module, "entity_set", None)
        if not isinstance(declared, EntitySet):
            raise ConfigurationError(f"{module.__name__} declares no `entity_set = EntitySet(...)`")
        if declared.name in found:
            raise ConfigurationError(f"{module.__name__} declares the set {declared.name} a second time")
        found[declared.name] = declared
    return found

"""Finds the files of a package that declare something each: flows, checks, entity sets."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def modules_in(package: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    """Names and modules of the package's files in the order of the names, without those that begin with `_`."""
    for name in sorted(it.name for it in pkgutil.iter_modules(package.__path__) if not it.name.startswith("_")):
        yield name, importlib.import_module(f"{package.__name__}.{name}")

"""The options that narrow a list of events, for commands."""

import argparse
from collections.abc import Mapping
from typing import Final

_NAMES: Final = ("state", "reason", "system", "table", "record_id", "from", "to")


def arguments(parser: argparse.ArgumentParser, says: Mapping[str, str]) -> None:
    """An option for each name, with what `says` tells about it."""
    for name in _NAMES:
        parser.add_argument(f"--{name.replace('_', '-')}", dest=f"only_{name}", help=says[name])


def as_parameters(options: argparse.Namespace) -> dict[str, str]:
    """What the options name, as query parameters of a list."""
    given = {name: getattr(options, f"only_{name}") for name in _NAMES}
    return {name: value for name, value in given.items() if value}


def as_selection(options: argparse.Namespace) -> dict[str, str]:
    """The same, as the body of a bulk operation has it."""
    return {"recordId" if name == "record_id" else name: value for name, value in as_parameters(options).items()}

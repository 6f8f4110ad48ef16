"""Descriptions of names in the code: `descriptions/*.toml`, compared with the code in both directions."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "descriptions"


class DescriptionError(Exception):
    """Something has no description, or a description is of something that does not exist."""


def described(subject: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The descriptions of `names`, in the order of the file.

    Raises `DescriptionError`, which names what is missing in the file and what is superfluous.
    """
    path = FOLDER / f"{subject}.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    wanted = set(names)
    problems = [f"{name} is not described" for name in sorted(wanted - found.keys())]
    problems += [f"{name} is described and does not exist" for name in sorted(found.keys() - wanted)]
    if problems:
        raise DescriptionError(f"documentation/descriptions/{path.name}: {'; '.join(problems)}.")
    return found

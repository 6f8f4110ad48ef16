"""What commands print: lines for people, in which the texts of others can steer no terminal; JSON for programs."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from integration.visible import visible


def say(text: object = "", *, end: str = "\n") -> None:
    """Print a line."""
    print(visible(str(text)), end=end, flush=not end.endswith("\n"))


def in_a_line(text: object) -> str:
    """A text of others in one line, so that none can look like several."""
    return visible(str(text)).replace("\n", "\\u000a").replace("\t", " ")


def complain(text: object) -> None:
    """Print a line where errors go."""
    print(visible(str(text)), file=sys.stderr)


def as_json(answer: Mapping[str, Any]) -> None:
    """The app's answer, for programs."""
    say(json.dumps(answer, indent=2, ensure_ascii=False))

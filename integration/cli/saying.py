"""What commands print: lines for people, in which the texts of others can steer no terminal; JSON for programs."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from integration.visible import visible


def say(line: object = "", *, end: str = "\n") -> None:
    """Print one line, whatever stands in it."""
    print(in_a_line(line), end=end, flush=not end.endswith("\n"))


def complain(text: object) -> None:
    """Print where errors go; what the app refuses has a line for each fault."""
    print(visible(str(text)), file=sys.stderr)


def as_json(answer: Mapping[str, Any]) -> None:
    """The app's answer, for programs."""
    print(visible(json.dumps(answer, indent=2, ensure_ascii=False)))


def in_a_line(text: object) -> str:
    """A text of others in one line, so that none can look like several."""
    return visible(str(text)).replace("\n", "\\u000a").replace("\t", " ")

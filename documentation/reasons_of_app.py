"""The reasons as console and routes explain them: a file of the app, of the descriptions of the reference page."""

import json
from pathlib import Path

from documentation import reasons
from documentation.descriptions import described
from documentation.source import REPOSITORY

FILE = REPOSITORY / "integration" / "operations" / "reasons.json"


def current() -> dict[Path, str]:
    """The file, and the content that it should have: what each reason of an event means, and what to do about it."""
    known = {
        word: {"means": text["means"], "do": text["do"]}
        for word, text in described("reasons", reasons.reasons()).items()
        if "log-only" not in text
    }
    return {FILE: json.dumps(known, indent=1, ensure_ascii=False) + "\n"}

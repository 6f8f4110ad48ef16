"""The requests of docs/requests.http with the addresses and keys of a running sandbox filled in."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints

REQUESTS = REPOSITORY / "docs" / "requests.http"


def write(reached: Endpoints, path: Path) -> None:
    """Write the file, readable by its owner only: it holds keys."""
    values = {
        "functions": reached.functions,
        "webhookKey": reached.webhook_key,
        "pluginKey": reached.plugin_key,
        "erpKey": reached.erp_events_key,
        "operationsKey": reached.operations_key,
        "virtualTablesKey": reached.virtual_tables_key,
    }
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(filled(REQUESTS.read_text(encoding="utf-8"), values))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with these values in its `@name = value` lines, and with absolute paths of the files with bodies.

    Raises KeyError for a variable that has no value here.
    """
    text = re.sub(r"^@(\w+) = .*$", lambda line: f"@{line[1]} = {values[line[1]]}", text, flags=re.MULTILINE)
    return text.replace("\n< ../", f"\n< {REPOSITORY.as_posix()}/")

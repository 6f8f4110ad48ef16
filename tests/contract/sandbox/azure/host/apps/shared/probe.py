"""Shows the tests what functions were given."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

_LOCK = threading.Lock()


def record(function: str, **values: Any) -> None:
    """Append one line of JSON to the file that the tests read."""
    line = json.dumps({"function": function, "at": time.time(), **values}, default=repr)
    with _LOCK, Path(os.environ["PROBE_FILE"]).open("a") as file:
        file.write(line + "\n")

"""Which part of a host's process takes the CPU time: the function's code, threads of the app's own, all the rest.

The host reports it (GET /admin/stats): it times function code wherever that runs, and the operating system times
threads. The work that an async function's libraries do in callbacks of the event loop is not timed, and is part of the
rest.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

Seconds = dict[str, float]

CODE, REST = "function code", "host and event loop"
_OF_THE_HOST = re.compile(r"MainThread|ThreadPoolExecutor|asyncio")
_NUMBER = re.compile(r"[-_ ]*\d+([-_]\d+)*$")
_UNNAMED = re.compile(r"Thread-\d+ \((.*)\)$")


def parts(stats: Mapping[str, Any]) -> Seconds:
    """CPU seconds by part since the process began."""
    own: Counter[str] = Counter()
    for thread, seconds in stats["threadSeconds"].items():
        if not _OF_THE_HOST.match(thread):
            name = _UNNAMED.sub(r"\1", _NUMBER.sub("", thread))
            own[f"thread {name}"] += seconds
    rest = stats["processSeconds"] - stats["functionSeconds"] - own.total()
    return {CODE: stats["functionSeconds"], **own, REST: rest}


def per_event(before: Seconds, after: Seconds, events: int) -> dict[str, float]:
    """Milliseconds per event between two readings; parts that took nothing are left out."""
    taken = {part: (seconds - before.get(part, 0.0)) / events * 1000 for part, seconds in after.items()}
    return {part: ms for part, ms in taken.items() if round(ms, 2)}

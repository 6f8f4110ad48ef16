"""The figures as tables for people, and as JSON."""

import math
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.bench.measures import END_TO_END, GENERATOR, HALF_LOAD, INTAKE, WORKER, Measure
from sandbox.bench.meter import ELSEWHERE

_HEADINGS = {INTAKE: "intake", WORKER: "worker", END_TO_END: "end to end", HALF_LOAD: "half load"}
MEANING = (
    "Outside systems answer in so many ms. Latencies: intake alone, request to 202; worker alone, one message from "
    "envelope to settled; end to end, request sent (half load: due) to settled. Half load is open loop at half the "
    f'rate before it, all others are closed loop. CPU is in milliseconds per event. "{ELSEWHERE}", and the cores busy '
    "with them, say how noisy the machine was meanwhile."
)
"""What the words of the tables mean."""


def document(measures: Sequence[Measure], faults: Sequence[str], options: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "options": options,
        "faults": list(faults),
        "measures": [
            {
                "measure": it.name,
                "outsideAnswersInMs": it.delay_ms,
                "events": it.events,
                "seconds": round(it.seconds, 3),
                "eventsPerSecond": round(it.rate, 2),
                "p50Ms": _rounded(it.percentile(0.50)),
                "p99Ms": _rounded(it.percentile(0.99)),
                "cpuMsPerEvent": {part: round(ms, 3) for part, ms in it.cpu_ms().items()},
            }
            for it in measures
        ],
    }


def tables(measures: Sequence[Measure]) -> str:
    """Rates and latencies, then CPU per event by part."""
    rates = [("measure", "outside", "events", "events/s", "p50 ms", "p99 ms", "busy")] + [
        (
            it.name,
            f"{it.delay_ms} ms",
            str(it.events),
            f"{it.rate:.1f}",
            f"{it.percentile(0.50):.0f}",
            f"{it.percentile(0.99):.0f}",
            _cell(it.cpu[ELSEWHERE] / it.seconds if ELSEWHERE in it.cpu else None),
        )
        for it in measures
    ]
    delays = dict.fromkeys(it.delay_ms for it in measures)
    cpu = [_cpu_table(delay, [it for it in measures if it.delay_ms == delay]) for delay in delays]
    return "\n\n".join((_table(rates), *cpu))


def _cpu_table(delay_ms: int, measures: Sequence[Measure]) -> str:
    parts = list(dict.fromkeys(part for it in measures for part in it.cpu))
    parts.sort(key=lambda part: (part in {GENERATOR, ELSEWHERE}, not part.startswith("intake"), ":" not in part, part))
    rows = [(f"CPU ms, {delay_ms} ms outside", *(_HEADINGS[it.name] for it in measures))] + [
        (part, *(_cell(it.cpu_ms().get(part)) for it in measures)) for part in parts
    ]
    return _table([*rows, ("all of the sandbox", *(_cell(_sandbox_ms(it)) for it in measures))])


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _sandbox_ms(measure: Measure) -> float:
    return sum(ms for part, ms in measure.cpu_ms().items() if part not in {GENERATOR, ELSEWHERE})


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 1)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Markdown, which is also aligned for the terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) + " |" for row in rows]
    rule = "|" + "|".join(("-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:]))) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])

"""The figures as tables for people, and as JSON."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sandbox.bench.counting import TableCalls
from sandbox.bench.end_to_end import EndToEnd
from sandbox.bench.goals import Goal
from sandbox.bench.rounds import LOAD_SHARE, Measured, Round, without_host

_FIGURES: tuple[tuple[str, str, int, Callable[[Round], float | None]], ...] = (
    ("intake: requests/s on one core", "intakeRequestsPerSecond", 0, lambda it: it.intake.rate),
    ("intake: p50 ms", "intakeP50Ms", 1, lambda it: it.intake.percentile_ms(0.50)),
    ("intake: p99 ms", "intakeP99Ms", 1, lambda it: it.intake.percentile_ms(0.99)),
    (f"intake: p99 ms at {LOAD_SHARE:.0%} load", "intakeP99MsAtLoad", 1, lambda it: it.paced.percentile_ms(0.99)),
    ("intake: CPU ms per request", "intakeCpuMs", 2, lambda it: it.intake.cpu_ms),
    ("intake: share of its core used", "intakeBusy", 2, lambda it: it.intake.busy),
    ("intake: memory MiB", "intakeMiB", 0, lambda it: it.paced.resident_mib),
    ("worker: events/s on one core", "workerEventsPerSecond", 0, lambda it: it.worker.rate),
    ("worker: CPU ms per event", "workerCpuMs", 2, lambda it: it.worker.cpu_ms),
    (
        "worker: CPU ms per event of an empty function",
        "emptyCpuMs",
        2,
        lambda it: it.empty.cpu_ms if it.empty else None,
    ),
    ("worker: CPU ms per event without the host", "workerCpuMsWithoutHost", 2, without_host),
    ("worker: share of its core used", "workerBusy", 2, lambda it: it.worker.busy),
    ("worker: calls outside per event", "outsideCalls", 2, lambda it: it.worker.outside_calls),
    ("worker: memory MiB", "workerMiB", 0, lambda it: it.worker.resident_mib),
    ("cores used by other programs meanwhile", "coresElsewhere", 2, lambda it: it.worker.elsewhere),
    ("Azurite: CPU ms per event", "azuriteCpuMs", 2, lambda it: it.worker.helpers_cpu_ms.get("azurite")),
    ("sandbox's broker: CPU ms per event", "brokerCpuMs", 2, lambda it: it.worker.helpers_cpu_ms.get("broker")),
)

_CALLS: tuple[tuple[str, Callable[[TableCalls], float]], ...] = (
    ("intake: table calls per request", lambda it: it.intake.all),
    ("worker: table calls per event", lambda it: it.worker.all),
    ("worker: those of them that it waits for", lambda it: it.worker.on_the_path),
    ("worker: table calls per duplicate", lambda it: it.duplicate_worker.all),
    ("worker: those of them that it waits for ", lambda it: it.duplicate_worker.on_the_path),
)

MEANING = (
    "Medians over the rounds. The process that is measured has a core to itself; its broker and stores, the systems "
    "outside and the load generator share the others. The absolute figures are those of this machine; the ratios hold "
    "elsewhere, too."
)


def comparison(measured: Sequence[Measured]) -> str:
    """One column for each subject."""
    rows = [("", *(it.name for it in measured))]
    rows += [(title, *(_cell(it.median(figure), digits) for it in measured)) for title, _, digits, figure in _FIGURES]
    for title, figure in _CALLS:
        rows.append((title, *(_cell(figure(it.table_calls) if it.table_calls else None, 2) for it in measured)))
    return table(rows)


def parts_table(measured: Sequence[Measured]) -> str:
    """CPU by part, for the subjects that report it."""
    telling = {it.name: it.parts for it in measured if it.parts}
    names = sorted({name for parts in telling.values() for name in parts})
    rows = [("CPU ms per event by part, starting up included", *telling)]
    rows += [(name, *(_cell(parts.get(name), 2) for parts in telling.values())) for name in names]
    return table(rows)


def goals_table(goals: Sequence[Goal]) -> str:
    """Goal, measured, met or missed."""
    words = {True: "met", False: "MISSED", None: "not measured"}
    rows = [("goal", "limit", "measured", "")]
    for it in goals:
        bound = f"{'at least' if it.at_least else 'at most'} {it.limit:g} {it.unit}".rstrip()
        rows.append((it.what, bound, _cell(it.measured, 2), words[it.met]))
    return table(rows)


def end_to_end_table(measured: Sequence[EndToEnd]) -> str:
    """Latencies of the whole way."""
    rows = [("end to end, at half the worker's rate", "events/s", "p50 ms", "p99 ms")]
    rows += [
        (
            f"outside answers in {it.delay_ms} ms",
            f"{it.rate:.0f}",
            _cell(it.percentile_ms(0.50), 0),
            _cell(it.percentile_ms(0.99), 0),
        )
        for it in measured
    ]
    return table(rows)


def telemetry_table(measured: Mapping[str, Mapping[str, float]]) -> str:
    """What spans and metrics cost, and how many bytes of log lines an event leaves."""
    rows = [("spans and metrics", "intake CPU ms", "worker CPU ms", "of it without", "log bytes per event")]
    rows += [
        (
            mode,
            _cell(it["intakeCpuMs"], 2),
            _cell(it["workerCpuMs"], 2),
            _cell(it["ratio"], 3),
            _cell(it["loggedBytes"], 0),
        )
        for mode, it in measured.items()
    ]
    return table(rows)


def document(measured: Mapping[str, Measured]) -> list[dict[str, Any]]:
    """The figures of each subject, with those of every round."""
    return [
        {
            "subject": it.name,
            "figures": {
                name: {
                    "median": _rounded(it.median(figure)),
                    "rounds": [_rounded(figure(each)) for each in it.rounds],
                }
                for _, name, _, figure in _FIGURES
                if it.median(figure) is not None
            },
            "cpuMsByPart": {name: _rounded(ms) for name, ms in it.parts.items()},
            "tableCalls": None if it.table_calls is None else asdict(it.table_calls),
        }
        for it in measured.values()
    ]


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Markdown, which is also aligned for the terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) + " |" for row in rows]
    rule = "|" + "|".join(("-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:]))) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _cell(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

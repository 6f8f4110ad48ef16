"""Show the log of a process, each record with time and level; -f follows it.

    run.py logs worker -f
    run.py logs intake --errors
    run.py logs erp --raw

Ids are shortened; with --raw the lines are printed as they are in the file.

The worker and the archive run in host-events, the intake and the operations routes in host-http. Logs are kept when the
sandbox stops, so this command needs no running sandbox.
"""

import argparse
import re
import time
from collections.abc import Iterator
from itertools import chain

from sandbox.commands.here import CommandError, Suggested, add_state_option
from sandbox.repository import REPOSITORY
from sandbox.running.state import StateDirectory
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import listed, moment, place, shortened
from sandbox.watching.log_lines import LogFile, LogLine, parse

PROCESSES = {
    "worker": "host-events",
    "intake": "host-http",
    "host-events": "host-events",
    "host-http": "host-http",
    "broker": "broker",
    "dataverse": "dataverse",
    "erp": "erp",
    "credit": "credit",
    "azurite": "azurite",
    "relay": "relay",
    "relay-listener": "relay-listener",
    "others": "others",
    "collector": "collector",
    "event-grid": "event-grid",
    "log-analytics": "log-analytics",
}
"""The processes by the names that people give them."""

_LEVELS = ("WARNING", "ERROR", "CRITICAL")
_POLL_SECONDS = 0.2
_TIME_WIDTH, _LEVEL_WIDTH = 12, 8
_HEAD_WIDTH = _TIME_WIDTH + _LEVEL_WIDTH + 2
_SHOWN = 40
_HIDDEN = frozenset({"what", "time", "level", "invocationId", "correlationId", "stack"})
_PATH = re.compile(rf'"(?:{re.escape(str(REPOSITORY))}[/\\](?!\.venv)|[^"]*[/\\](?:site-packages|python3\.\d+)[/\\])')
"""What is left out at the beginning of a file's path in a traceback."""
_PLACED = ("what", "eventId", "message", "table", "record")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("process", choices=PROCESSES, metavar="process", help=f"one of {', '.join(PROCESSES)}")
    parser.add_argument("-f", "--follow", action="store_true", help="follow the log, until Ctrl-C")
    parser.add_argument(
        "-n", "--number", type=int, default=_SHOWN, metavar="N", help="the last N records (%(default)s)"
    )
    parser.add_argument("--errors", action="store_true", help="only warnings and errors")
    parser.add_argument("--raw", action="store_true", help="the lines as they are in the file")
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if there is such a log."""
    path = StateDirectory(options.state).logs / f"{PROCESSES[options.process]}.log"
    if not path.exists():
        there = listed(sorted(log.stem for log in path.parent.glob("*.log")), "or") or "none; start a sandbox first"
        start = Suggested(options.state)("up")
        raise CommandError(f"There is no {place(path)}. Existing logs: {there}. {start} starts a sandbox.")
    screen, log = Screen(), LogFile(path)
    printer = _Printer(screen, raw=options.raw, errors=options.errors)
    wanted = [line for line in log.new() if printer.wants(parse(line))]
    for line in wanted[-options.number :] if options.number > 0 else []:
        printer.print(line)
    while options.follow:
        time.sleep(_POLL_SECONDS)
        for line in log.new():
            if printer.wants(parse(line)):
                printer.print(line)
    return 0


class _Printer:
    """Prints records."""

    def __init__(self, screen: Screen, *, raw: bool, errors: bool) -> None:
        self._screen = screen
        self._raw = raw
        self._errors = errors

    def wants(self, line: LogLine) -> bool:
        """Whether this record is to be shown."""
        return not self._errors or line.level in _LEVELS

    def print(self, line: str) -> None:
        """One record."""
        if self._raw:
            self._screen.raw(line)
            return
        record = parse(line)
        at = moment(record.at) if record.at else ""
        head = [(f"{at:<{_TIME_WIDTH}} ", "dim"), (f"{record.level:<{_LEVEL_WIDTH}} ", STYLES.get(record.level, "dim"))]
        first, *others = list(_text(record))
        self._screen.beside(head, first)
        for other in others:
            text = other.lstrip()
            self._screen.beside([(" " * (_HEAD_WIDTH + len(other) - len(text)), "")], text)


def _text(record: LogLine) -> Iterator[str]:
    """What the record says; its traceback, if it has one, in lines of its own."""
    if record.fields:
        placed = (shortened(str(record.fields[name])) for name in _PLACED if name in record.fields)
        others = (f"{name}={value}" for name, value in record.fields.items() if name not in _HIDDEN.union(_PLACED))
        yield " ".join(chain(placed, others))
        yield from record.fields.get("stack") or ()
    else:
        for line in record.text.replace("\\n", "\n").rstrip().split("\n"):
            if set(line) - set(" ^~"):  # markers below a wrapped source line point to the wrong place
                yield _PATH.sub('"', line)

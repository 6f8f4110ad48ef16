"""Copy, restore, mend the ledger, or erase all that it has about a record.

Works on a deployed app, and on a running sandbox with --sandbox. With a connection string nothing else is needed; with
the account's name you must be signed in (az login) and have the role Storage Table Data Contributor on the account, for
erase also Storage Blob Data Reader.
"""

import argparse
import asyncio
import getpass
import gzip
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

from azure.core.exceptions import AzureError

from integration.cli import access as accesses
from integration.cli.access import Access
from integration.cli.archive import blobs_about
from integration.clock import SystemClock
from integration.errors import IntegrationError
from integration.ledger import transfer
from integration.ledger.erasure import OUT_OF_REACH, Erasure, Found, RecordUnderWayError
from integration.ledger.rebuild import Rebuild, Rebuilt
from integration.telemetry import quieten_libraries

_EVERY_SECONDS = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help="what to do")
    export = commands.add_parser("export", help="write the whole ledger to a file (JSON Lines, .gz: packed)")
    export.add_argument("file", type=Path, metavar="FILE")
    restore = commands.add_parser("import", help="write what a file has and the ledger has not; may be repeated")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument(
        "--from-line", type=int, default=1, metavar="N", help="go on where an import was interrupted (it said where)"
    )
    erase = commands.add_parser("erase", help="erase all that the ledger has about one record")
    erase.add_argument("table", metavar="TABLE", help="logical name, such as contact")
    erase.add_argument("record_id", metavar="ID", help="the row's GUID")
    erase.add_argument("--reason", help="why: it is written down; without it, erase only says what there is")
    erase.add_argument("--by", default=getpass.getuser(), help="who: it is written down (%(default)s)")
    erase.add_argument("--force", action="store_true", help="also while events of the record have not ended")
    rebuild = commands.add_parser("rebuild", help="make lists, indexes and lost rows again from the records and events")
    for each in (export, restore, erase, rebuild):
        accesses.arguments(each)


def main(options: argparse.Namespace) -> int:
    """0 when it was done, 1 when it could not be, 2 when it was refused, 130 when it was interrupted."""
    quieten_libraries()
    try:
        return asyncio.run(_ACTIONS[options.action](accesses.access(options), options))
    except RecordUnderWayError as error:
        print(f"Nothing was erased: {error}.", file=sys.stderr)
        return 2
    except (IntegrationError, OSError, EOFError, UnicodeError) as error:
        print(f"{options.action} failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


async def _export(access: Access, options: argparse.Namespace) -> int:
    """The file has its name once it is complete."""
    path: Path = options.file
    unfinished = path.with_name(path.name + ".unfinished")
    progress, count = _Progress(), 0
    async with access.ledger() as ledger:
        with _opened(unfinished, path, "wt") as file:
            async for line in transfer.export(ledger, SystemClock()):
                file.write(line + "\n")
                count += 1
                progress.say(f"{count} lines")
    unfinished.replace(path)
    print(f"{count - 2} entities in {path}.")
    return 0


async def _import(access: Access, options: argparse.Namespace) -> int:
    path: Path = options.file
    progress, reached = _Progress(), 0

    def report(done: transfer.Imported) -> None:
        nonlocal reached
        reached = done.line
        progress.say(f"line {done.line}: {done.written} written, {done.present} were there")

    try:
        async with access.ledger() as ledger:
            with _opened(path, path, "rt") as file:
                done = await transfer.restore(ledger, file, first_line=options.from_line, report=report)
    except BaseException:
        if reached:
            print(f"To go on: ledger import {path} --from-line {reached + 1}", file=sys.stderr)
        raise
    print(f"{done.written} entities written, {done.present} were there already and stay as they are.")
    print("Now run ledger rebuild: it makes the lists agree with what was imported.")
    return 0


async def _erase(access: Access, options: argparse.Namespace) -> int:
    table, record_id = str(options.table), str(options.record_id).lower()
    async with access.ledger() as ledger:
        erasure = Erasure(ledger, SystemClock())
        found = await erasure.find(table, record_id)
        _say_found(found)
        if options.reason:
            erased = await erasure.erase(table, record_id, by=options.by, reason=options.reason, force=options.force)
            print("Erased: " + ", ".join(f"{count} {name}" for name, count in asdict(erased).items()) + ".")
        else:
            print("Nothing was erased: say why with --reason, and it is.")
    _say_archive(access, f"{table}:{record_id}", found)
    print(OUT_OF_REACH)
    return 0


async def _rebuild(access: Access, options: argparse.Namespace) -> int:  # noqa: ARG001 -- as all actions
    progress = _Progress()
    async with access.ledger() as ledger:
        done = await Rebuild(ledger).run(lambda done: progress.say(_counts(done)))
    print(f"Done: {_counts(done)}. No note of the old layout is left.")
    return 0


def _counts(done: Rebuilt) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in asdict(done).items())


def _say_found(found: Found) -> None:
    print(f"{'A' if found.record else 'No'} record and {len(found.events)} event(s) in the ledger.")
    for event_id in found.under_way:
        print(f"  not ended: {event_id}")


def _say_archive(access: Access, session_id: str, found: Found) -> None:
    """The files of the archive that name the record; without complaint where it cannot be read."""
    try:
        blobs = list(blobs_about(access.archive(), session_id, found.days))
    except AzureError as error:
        folders = ", ".join(f"date={day}" for day in found.days) or "none"
        print(f"The archive could not be read ({type(error).__name__}); look in these folders: {folders}")
        return
    print(f"{len(blobs)} file(s) of the archive have lines about the record:" if blobs else "None in the archive.")
    for blob in blobs:
        print(f"  {access.container}/{blob}")


class _Progress:
    """Says how far it is, every other second."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def say(self, line: str) -> None:
        if time.monotonic() - self._said >= _EVERY_SECONDS:
            self._said = time.monotonic()
            print(line, file=sys.stderr, flush=True)


@contextmanager
def _opened(path: Path, named: Path, mode: str) -> Iterator[IO[str]]:
    """The file as text, packed where its name says so; only its owner can read what is written."""
    if "w" in mode:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
    with (
        gzip.open(path, mode, encoding="utf-8") if named.suffix == ".gz" else path.open(mode, encoding="utf-8") as file
    ):
        yield file  # type: ignore[misc] # text, in either case


_ACTIONS = {"export": _export, "import": _import, "erase": _erase, "rebuild": _rebuild}


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(
        prog="run.py ledger", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments(_parser)
    sys.exit(main(_parser.parse_args()))

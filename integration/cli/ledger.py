"""Copy, restore or repair the ledger, or erase everything that it has about a record.

Works on a deployed app, and on a running sandbox with --sandbox. With a connection string nothing else is needed; with
the account's name you must be signed in (az login) and have the role Storage Table Data Contributor on the account, for
erase also Storage Blob Data Contributor.
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
from functools import partial
from pathlib import Path
from typing import IO

from azure.core.exceptions import AzureError

from integration.claim_check import erase
from integration.cli import access as accesses
from integration.cli.access import Access
from integration.cli.archive import blobs_about
from integration.clock import SystemClock
from integration.errors import IntegrationError
from integration.events import fields
from integration.ledger import transfer
from integration.ledger.erasure import OUT_OF_REACH, Erasure, Found, RecordUnderWayError
from integration.ledger.rebuild import Rebuild, Rebuilt
from integration.telemetry import quieten_libraries

_EVERY_SECONDS = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help="what to do")
    export = commands.add_parser(
        "export", help="write the whole ledger to a file (JSON Lines; compressed if the name ends with .gz)"
    )
    export.add_argument("file", type=Path, metavar="FILE")
    restore = commands.add_parser("import", help="write what the file has and the ledger does not; may be repeated")
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument(
        "--from-line",
        type=int,
        default=1,
        metavar="N",
        help="continue an interrupted import at this line (the import printed it)",
    )
    erase = commands.add_parser("erase", help="erase everything that the ledger has about one record")
    erase.add_argument("table", metavar="TABLE", help="logical name, such as contact")
    erase.add_argument("record_id", metavar="ID", help="the row's GUID")
    erase.add_argument("--reason", help="why, for the audit; without it, erase only shows what there is")
    erase.add_argument("--by", default=getpass.getuser(), help="who, for the audit (%(default)s)")
    erase.add_argument("--force", action="store_true", help="erase even while events of the record have not ended")
    rebuild = commands.add_parser(
        "rebuild", help="write lists, indexes and lost rows again from the records and events"
    )
    for each in (export, restore, erase, rebuild):
        accesses.arguments(each)


def main(options: argparse.Namespace) -> int:
    """Exit code: 0 if it was done, 1 if it could not be done, 2 if it was refused, 130 if it was interrupted."""
    quieten_libraries()
    try:
        return asyncio.run(_ACTIONS[options.action](accesses.access(options), options))
    except RecordUnderWayError as error:
        print(f"Nothing was erased: {error}.", file=sys.stderr)
        return 2
    except BrokenPipeError:  # nobody reads the output any more: run.py ends quietly
        raise
    except (IntegrationError, OSError, EOFError, UnicodeError) as error:
        print(f"{options.action} failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


async def _export(access: Access, options: argparse.Namespace) -> int:
    """Write to a temporary name first, so that the final name means a complete file."""
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
    print(f"{done.written} entities written; {done.present} were there already and stay as they are.")
    print("Now run ledger rebuild, so that the lists agree with what was imported.")
    return 0


async def _erase(access: Access, options: argparse.Namespace) -> int:
    table, record_id = str(options.table), fields.record_id(str(options.record_id))
    async with access.ledger() as ledger:
        erasure = Erasure(ledger, SystemClock(), erase_contents=partial(erase, access.contents()))
        found = await erasure.find(table, record_id)
        _say_found(found)
        if options.reason:
            erased = await erasure.erase(table, record_id, by=options.by, reason=options.reason, force=options.force)
            print("Erased: " + ", ".join(f"{count} {name}" for name, count in asdict(erased).items()) + ".")
        else:
            print("Nothing was erased. To erase it, give the reason with --reason.")
    _say_archive(access, f"{table}:{record_id}", found)
    print(OUT_OF_REACH)
    return 0


async def _rebuild(access: Access, options: argparse.Namespace) -> int:  # noqa: ARG001 -- as all actions
    progress = _Progress()
    async with access.ledger() as ledger:
        done = await Rebuild(ledger).run(lambda done: progress.say(_counts(done)))
    print(f"Done: {_counts(done)}. No note of the old layout remains.")
    return 0


def _counts(done: Rebuilt) -> str:
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in asdict(done).items())


def _say_found(found: Found) -> None:
    print(f"{'A' if found.record else 'No'} record and {len(found.events)} event(s) in the ledger.")
    for event_id in found.under_way:
        print(f"  not ended: {event_id}")


def _say_archive(access: Access, session_id: str, found: Found) -> None:
    """List the archive's files that name the record; if the archive cannot be read, say so and go on."""
    try:
        blobs = list(blobs_about(access.archive(), session_id, found.days))
    except AzureError as error:
        folders = ", ".join(f"date={day}" for day in found.days) or "none"
        print(f"The archive could not be read ({type(error).__name__}); look in these folders: {folders}")
        return
    print(
        f"{len(blobs)} file(s) of the archive have lines about the record:"
        if blobs
        else "The archive has no lines about the record."
    )
    for blob in blobs:
        print(f"  {access.container}/{blob}")


class _Progress:
    """Prints the progress every two seconds."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def say(self, line: str) -> None:
        if time.monotonic() - self._said >= _EVERY_SECONDS:
            self._said = time.monotonic()
            print(line, file=sys.stderr, flush=True)


@contextmanager
def _opened(path: Path, named: Path, mode: str) -> Iterator[IO[str]]:
    """The file as text, gzipped if its name ends with .gz; only its owner can read a file that is written."""
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

"""Keep a sandbox running for development, until Ctrl-C or SIGTERM.

It prints a line for everything that happens to an event, serves a start page, and writes every address, port and key to
endpoints.json in its state directory. When a Python file of the app, host.json or the settings file changes, the app is
restarted; so is any process that dies. The state is kept for the next time.

Where SYSTEMS is set, in the environment or in the settings file, each system that it names gets the stand-in of its
adapter: its addresses and keys are those of the sandbox, its other keys hold.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from azure.data.tables import TableServiceClient

from sandbox.client import Client
from sandbox.commands.here import CommandError, Suggested, add_state_option, add_system_options
from sandbox.commands.session import Interrupted, print_failure, run_with
from sandbox.machine.ports import Ports
from sandbox.repository import REPOSITORY
from sandbox.running import given_systems, local_settings, relay, sinks
from sandbox.running.credit import DEFAULT_CREDIT
from sandbox.running.endpoints import Endpoints
from sandbox.running.erp import DEFAULT
from sandbox.running.given_systems import GivenSystems
from sandbox.running.local_settings import SettingsFileExistsError
from sandbox.running.sandbox import Sandbox
from sandbox.sample import comparisons, day
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import PYTHON, place
from sandbox.watching.happenings import Happening
from sandbox.watching.page_server import PageServer
from sandbox.watching.watch import ClientLookup, Watch, show_on

_POLL_SECONDS = 0.1
_SETTINGS_FILE = REPOSITORY / "local.settings.json"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--fresh", action="store_true", help="delete what earlier runs have left")
    parser.add_argument("--sample", action="store_true", help="fill the support console with a lifelike day")
    parser.add_argument(
        "--sinks",
        action="store_true",
        help="send settled events to every sink, not to the archive alone: stand-ins of Event Grid and Log Analytics, "
        "and a hub for Fabric",
    )
    parser.add_argument("--quiet", action="store_true", help="print no lines about events")
    add_state_option(parser)
    add_system_options(parser)
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="a local.settings.json; what the sandbox sets itself (addresses, keys) wins over it",
    )
    group = parser.add_argument_group("running the app with func start")
    group.add_argument(
        "--write-settings",
        type=Path,
        nargs="?",
        const=_SETTINGS_FILE,
        metavar="FILE",
        help="write the settings with which func start uses this sandbox's stand-ins (local.settings.json)",
    )
    group.add_argument("--force", action="store_true", help="overwrite the file of --write-settings if it is there")
    group.add_argument(
        "--without-app", action="store_true", help="leave the app to func start: both would take from the queue"
    )
    Ports.add_options(parser)


def main(options: argparse.Namespace) -> int:
    """Run until a signal comes; 0 after an orderly stop."""
    if options.write_settings is not None:
        try:
            local_settings.check(options.write_settings, force=options.force)
        except SettingsFileExistsError as error:
            print_failure(error)
            return 1
    return _Up(options, Screen()).run()


class _Up:
    """One run of the command."""

    def __init__(self, options: argparse.Namespace, screen: Screen) -> None:
        self._options = options
        self._screen = screen
        self._show = show_on(screen)
        self._is_up = False
        self._sandbox = Sandbox(
            options.state,
            Ports.from_options(options),
            app=None if options.without_app else REPOSITORY,
            settings_file=options.settings.resolve() if options.settings else None,
            restart=True,
            page=True,
            erp=options.erp,
            credit=options.credit,
            relayed=options.relay,
            sinks=sinks.ALL if options.sinks else (),
            systems=systems_of(options),
            checks=not options.without_app,
            say=self._say,
        )

    def run(self) -> int:
        self._screen.say("Starting the sandbox ...")
        return run_with(self._sandbox, self._stay, fresh=self._options.fresh)

    def _stay(self, reached: Endpoints) -> int:
        if self._options.write_settings is not None:
            local_settings.write(self._options.write_settings, self._sandbox)
        if self._options.sample:
            self._fill(reached)
        watch = Watch(self._sandbox.state.logs, ClientLookup(Client(reached)), self._event)
        page = PageServer(self._sandbox.ports.page, reached, Client(reached), watch)
        _print_summary(self._screen, reached, self._sandbox, self._options)
        self._is_up = True
        reload = None if self._options.without_app else self._sandbox.reload()
        try:
            with page:
                while True:
                    watch.poll()
                    if reload is not None:
                        reload.poll()
                    time.sleep(_POLL_SECONDS)
        except Interrupted:
            self._screen.say("Stopping ...")
            return 0

    def _fill(self, reached: Endpoints) -> None:
        """Import the sample into the ledger, with the command that imports any other one, and what it does not take."""
        self._screen.say("a lifelike day for the console", indent=2)
        file = self._sandbox.state.data / "sample.jsonl"
        file.write_text("".join(f"{line}\n" for line in day.lines(datetime.now(UTC))), encoding="utf-8")
        command = ("ledger", "import", str(file), "--sandbox", str(self._sandbox.state.root))
        done = subprocess.run(  # noqa: S603 -- our own command
            (sys.executable, "-m", "sandbox.commands", *command), capture_output=True, text=True, check=False
        )
        if done.returncode:
            self._screen.say(f"It could not be imported: {done.stderr.strip()}", indent=2)
        with TableServiceClient.from_connection_string(reached.storage) as tables:
            shared = tables.create_table_if_not_exists("systems")
            for entity in comparisons.entities(datetime.now(UTC)):
                shared.upsert_entity(entity)

    def _event(self, happening: Happening) -> None:
        if not self._options.quiet:
            self._show(happening)

    def _say(self, text: str) -> None:
        """A line about a process; once the sandbox is up, it has the form of the lines about events."""
        first, *others = text.splitlines()
        if self._is_up:
            self._show(Happening(datetime.now(UTC), "INFO", "", "sandbox", first))
        else:
            self._screen.say(first, indent=2)
        for line in others:
            self._screen.raw(line)


def systems_of(options: argparse.Namespace) -> GivenSystems:
    """What SYSTEMS says, in the environment or else in the settings file; raises `CommandError`."""
    text = os.environ.get("SYSTEMS")
    if not text and options.settings:
        try:
            text = json.loads(options.settings.read_text(encoding="utf-8")).get("Values", {}).get("SYSTEMS")
        except (OSError, ValueError) as error:
            raise CommandError(f"{place(options.settings)} cannot be read: {error}.") from None
    try:
        found = given_systems.read(text) if text else given_systems.NONE
    except given_systems.SystemsError as error:
        raise CommandError(str(error)) from None
    for option, chosen, usual, said in (
        ("--erp", options.erp, DEFAULT, found.erp),
        ("--credit", options.credit, DEFAULT_CREDIT, found.credit),
    ):
        if chosen != usual and said is not None and said != chosen:
            raise CommandError(f"{option} {chosen}, but SYSTEMS names an adapter of the kind {said}. Leave one out.")
    return found


def _print_summary(screen: Screen, reached: Endpoints, sandbox: Sandbox, options: argparse.Namespace) -> None:
    """What a person who has just started it needs."""
    suggest = Suggested(options.state)
    screen.say()
    screen.say("The sandbox is up. Ctrl-C stops it. Its state is kept; --fresh deletes it.", "bold")
    screen.say()
    for label, value in (
        ("start page", f"{reached.page}/"),
        ("console", f"{reached.page}/console"),
        ("functions", reached.functions),
        ("Dataverse", reached.dataverse),
        ("ERP", reached.erp),
        *([("Azure Relay", relay.url(sandbox.ports))] if options.relay else []),
        ("credit scoring", reached.credit),
        *reached.others.items(),
        *reached.sinks.items(),
        ("ports and keys", place(sandbox.state.endpoints)),
        ("logs", place(sandbox.state.logs)),
    ):
        screen.entry(label, value)
    if options.write_settings is not None:
        together = "" if options.without_app else "; add --without-app, or both apps take from the queue"
        screen.entry("func start", f"{place(options.write_settings.absolute())} is written{together}")
    screen.title("Try it in another terminal:")
    for command in (
        'change account "Contoso Ltd" telephone1="+44 20 7946 0000"',
        'win "Bridge refit"',
        "fail erp 503 --times 3",
    ):
        screen.command(suggest(command))
    screen.say(f"{PYTHON} run.py lists all commands.", indent=2)
    screen.title("No app runs here: start it with func start." if options.without_app else "Events:")

"""Find out what is wrong, and how to correct it: with this machine, a settings file, or a deployed app.

    run.py doctor
    run.py doctor --settings local.settings.json
    run.py doctor https://example.azurewebsites.net --settings deployed.json

With a settings file it checks whether the app accepts it, whether queue, hub and tables can be reached with its
connection strings, and in Dataverse the sign-in, organisation id, application user, columns and steps. With an address
it checks the app's health, and whether the app accepts the keys of the settings file. Nothing is changed, and nothing
that is sent can become an event.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from sandbox.commands.here import CommandError, add_state_option
from sandbox.doctor import machine, services
from sandbox.doctor.app import KEYS, DeployedApp
from sandbox.doctor.dataverse import Environment
from sandbox.doctor.finding import WRONG, Finding
from sandbox.doctor.settings_file import SettingsError, SettingsFile
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import counted, place


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("url", nargs="?", help="address of a deployed app, as https://example.azurewebsites.net")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="a settings file like local.settings.json")
    parser.add_argument("--operations-key", metavar="KEY", help="try this operations key too")
    parser.add_argument("--intake-key", metavar="KEY", help="try this key of the intake too")
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if nothing is wrong."""
    screen = Screen()
    settings = None
    if options.settings is not None:
        try:
            settings = SettingsFile.read(options.settings)
        except SettingsError as error:
            raise CommandError(str(error)) from error
    url = None if options.url is None else _address(options.url)
    failed = 0
    for title, findings in _sections(options, url, settings):
        screen.title(title)
        for finding in findings:
            failed += finding.state == WRONG
            print_finding(screen, finding)
    screen.say()
    screen.say("Nothing is wrong." if not failed else f"{counted(failed, 'thing is', 'things are')} wrong.", "bold")
    return 1 if failed else 0


def print_finding(screen: Screen, finding: Finding) -> None:
    """A line with the state, what was checked and what was found; below it what to do."""
    screen.beside([(f"  {finding.state:<7}", STYLES[finding.state])], f"{finding.what}: {finding.seen}")
    if finding.remedy:
        screen.beside([(" " * 9, "")], finding.remedy, "italic")


def _sections(
    options: argparse.Namespace, url: str | None, settings: SettingsFile | None
) -> Iterator[tuple[str, Iterator[Finding]]]:
    if url is None and settings is None:
        yield "This machine", machine.findings(options.state)
    if settings is not None:
        yield f"Settings in {place(options.settings.absolute())}", settings.findings()
        yield "Azure services", services.findings(settings)
        yield "Dataverse", Environment(settings).findings(url)
    if url is not None:
        intake = _keys(settings, "intake", options.intake_key)
        operations = _keys(settings, "operations", options.operations_key)
        yield "The app", DeployedApp(url).findings(intake, operations)


def _keys(settings: SettingsFile | None, kind: str, given: str | None) -> dict[str, str]:
    """Keys by the name of their caller; the second one of a caller has a number."""
    found = {}
    for caller, keys in (settings.callers(KEYS[kind]) if settings else {}).items():
        for number, key in enumerate(keys, start=1):
            found[caller if number == 1 else f"{caller} ({number})"] = key
    return found | ({"the command line": given} if given else {})


def _address(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise CommandError(f"{text} is not an address. Give it as https://example.azurewebsites.net")
    return text.rstrip("/").removesuffix("/api/health").removesuffix("/api")

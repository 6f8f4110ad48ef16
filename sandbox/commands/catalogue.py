"""All commands by name: the one list, for run.py, for `--help` and for the reference page.

Standard library only, as run.py lists the commands before anything is installed; a command's own module is imported
when its parser is asked for.
"""

import argparse
import difflib
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from sandbox.terminal.words import PYTHON, wrapped

WIDTH = 80
"""Columns of all help texts."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, its heading in the list, its purpose, and the package that has its module."""

    name: str
    group: str
    summary: str
    package: str = "sandbox.commands"

    def module(self) -> ModuleType:
        """The module of the command; needs the virtual environment."""
        return importlib.import_module(f"{self.package}.{self.name.replace('-', '_')}")

    def parser(self) -> argparse.ArgumentParser:
        """Its options, with the module's docstring as description."""
        module = self.module()
        parser = argparse.ArgumentParser(
            prog=f"run.py {self.name}",
            description=module.__doc__,
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
        )
        module.arguments(parser)
        return parser

    @property
    def passes_on(self) -> bool:
        """Whether unknown arguments are passed to the program that the command calls."""
        return bool(getattr(self.module(), "PASSES_ON", False))


_START, _USE, _BREAK, _KEEP, _EXTEND, _CHECK = (
    "Start", "Use a running sandbox", "Break and repair it", "Look after a running sandbox or a deployed app", "Extend",
    "Check",
)  # fmt: skip

COMMANDS = (
    Command("demo", _START, "Show how events pass through a sandbox of its own, and check the outcome."),
    Command("up", _START, "Keep a sandbox running, with a start page and a line for everything that happens."),
    Command("clean", _START, "Delete the sandbox's state."),
    Command("change", _USE, "Change a row in Dataverse, as a person does."),
    Command("win", _USE, "Close an opportunity as won, as a person does."),
    Command("ship", _USE, "Ship an opportunity's order in the ERP, as a person there does."),
    Command("status", _USE, "Show the state of an event, its steps, and why it failed."),
    Command("trace", _USE, "Show the trace of an event, with times."),
    Command("dead-letters", _USE, "List the dead-lettered events, with the reason."),
    Command("archive", _USE, "List what analytics has received."),
    Command("analytics", _USE, "Open what analytics has received with DuckDB: figures and pictures."),
    Command("logs", _USE, "Show the log of a process."),
    Command("fail", _BREAK, "Make the ERP, credit scoring, Dataverse or the broker fail."),
    Command("heal", _BREAK, "End all faults."),
    Command("doctor", _CHECK, "Find out what is wrong with this machine, or with a deployed app."),
    Command("support", _KEEP, "See what is broken, understand it, repair it.", "integration.cli"),
    Command("pause", _KEEP, "Hold back calls to a system, or the events of a table.", "integration.cli"),
    Command("resume", _KEEP, "Let what is paused go on.", "integration.cli"),
    Command("resync", _KEEP, "Send records again, as after a restore.", "integration.cli"),
    Command("reconcile", _KEEP, "Find and heal what no event has brought.", "integration.cli"),
    Command("load", _KEEP, "Drive the rows of a table through its flow.", "integration.cli"),
    Command("matches", _KEEP, "List which customers of the ERP rows would be matched with.", "integration.cli"),
    Command("bulk", _KEEP, "Send many dead letters again, or discard them.", "integration.cli"),
    Command("dataverse", _KEEP, "Register in Dataverse what the flows need, and find what differs.", "integration.cli"),
    Command("ledger", _KEEP, "Copy, restore or repair the ledger, or erase a record from it.", "integration.cli"),
    Command("secrets", _KEEP, "Create and rotate the secrets of a deployed app; list which are due."),
    Command("infra", _KEEP, "Show what an environment comes to: resources, settings, roles, cost."),
    Command("cost", _KEEP, "Calculate what the environments cost at so many events a day."),
    Command("new", _EXTEND, "Make a flow: what the rows of a table mean to another system."),
    Command("connector", _EXTEND, "Write the custom connector for Power Automate and Logic Apps."),
    Command("lint", _CHECK, "Check format, types and imports."),
    Command("test", _CHECK, "Check format, types and imports, then run the tests."),
    Command("browser", _CHECK, "Look at the console in a real browser: journeys, accessibility, pictures."),
    Command("journeys", _CHECK, "Play the journeys of customers and orders with each kind of ERP."),
    Command("chaos", _CHECK, "Run the long tests, with kills, faults and a checker."),
    Command("mutate", _CHECK, "Change the app's code in small ways, and see whether the tests notice."),
    Command("lock", _CHECK, "Update the lock files from requirements*.in; needs the network."),
    Command("docs", _CHECK, "Build the documentation site, or serve it."),
    Command("bench", _CHECK, "Compare the app with plain programs that do the same job; check its goals."),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A command and all that its `--help` says."""

    command: Command
    help: str


def references() -> Iterator[Reference]:
    """Every command with its help text at 80 columns, for the reference page."""
    for command in COMMANDS:
        yield Reference(command, command.parser().format_help())


def find(name: str) -> Command | None:
    """The command of this name."""
    return next((command for command in COMMANDS if command.name == name), None)


def listing() -> str:
    """The commands under their headings, for people."""
    column = max(len(command.name) for command in COMMANDS) + 2
    lines = [f"usage: {PYTHON} run.py COMMAND [options]", ""]
    for group in dict.fromkeys(command.group for command in COMMANDS):
        lines.append(f"{group}:")
        for command in (each for each in COMMANDS if each.group == group):
            first, *others = wrapped(command.summary, WIDTH - column - 2)
            lines.append(f"  {command.name:<{column}}{first}")
            lines += [f"{'':{column + 2}}{line}" for line in others]
        lines.append("")
    return "\n".join([*lines, "COMMAND --help says more about each; --version shows the version."])


def unknown(name: str) -> str:
    """The message about a command that does not exist."""
    names = [command.name for command in COMMANDS]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or [it for it in names if it.startswith(name[:2])]
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"There is no command {name}.{meant}\n{PYTHON} run.py lists all commands."


class _HelpFormatter(argparse.HelpFormatter):
    """Paragraphs stay paragraphs, indented lines stay as they are, words stay whole."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=WIDTH)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = re.split(r"\n\s*\n", text.strip())
        return "\n\n".join(self._paragraph(paragraph, width, indent) for paragraph in paragraphs)

    def _paragraph(self, text: str, width: int, indent: str) -> str:
        if text.startswith("    "):
            return text
        return "\n".join(indent + line for line in wrapped(" ".join(text.split()), width))

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(" ".join(text.split()), width)

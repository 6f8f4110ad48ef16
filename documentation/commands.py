"""The commands, from their catalogue: purpose, description, arguments and options of each."""

import argparse
from collections.abc import Iterator

from documentation.blocks import code, table
from sandbox.commands.catalogue import COMMANDS, Command


def list_part() -> str:
    """Every command in one table."""
    rows = [[f"[{code(it.name)}](#{it.name})", it.group, it.summary] for it in COMMANDS]
    return table(["command", "for", "what it does"], rows)


def details_part() -> str:
    """Each command with its description and its options."""
    return "\n\n".join(_details(command) for command in COMMANDS)


def _details(command: Command) -> str:
    parser = command.parser()
    parts = [f"## {command.name}", _description(parser.description or "")]
    parts += _arguments(parser)
    for action in parser._actions:  # noqa: SLF001 -- there is no public way to them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 -- as above
            said = {it.dest: it.help or "" for it in action._choices_actions}  # noqa: SLF001 -- as above
            for name, below in action.choices.items():
                parts += [
                    f"### {command.name} {name}",
                    f"{said[name][:1].upper()}{said[name][1:]}.",
                    *_arguments(below),
                ]
    return "\n\n".join(parts)


def _arguments(parser: argparse.ArgumentParser) -> list[str]:
    rows = list(_options(parser))
    return [table(["argument", "meaning"], rows)] if rows else []


def _description(text: str) -> str:
    """A module's docstring is Markdown as it stands: its examples are indented."""
    return text.strip().replace("    run.py ", "    python3 run.py ")


def _options(parser: argparse.ArgumentParser) -> Iterator[list[str]]:
    """Made from argparse's data, because its help text differs between versions of Python."""
    for action in parser._actions:  # noqa: SLF001 -- as above
        if action.dest == "help" or isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 -- as above
            continue
        names = ", ".join(action.option_strings)
        value = action.metavar or (action.dest if not names else action.dest.upper() if action.nargs != 0 else "")
        shown = " ".join(filter(None, (names, value if isinstance(value, str) else " ".join(value))))
        yield [code(shown), (action.help or "") % {"default": action.default, "prog": parser.prog}]

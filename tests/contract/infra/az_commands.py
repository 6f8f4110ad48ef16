"""Which commands of the Azure CLI our pages and scripts call, and whether it has them with these options.

What az has is in az_commands.json. Where az is, `python -m tests.contract.infra.az_commands` asks it anew, command by
command.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.repository import REPOSITORY

KNOWN = Path(__file__).with_suffix(".json")
PAGES = sorted((REPOSITORY / "docs" / "how-to").glob("*.md"))
SCRIPTS = [*sorted((REPOSITORY / "infra").glob("*.sh")), *sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))]


def calls() -> Iterator[tuple[str, str, list[str]]]:
    """File, command and options of every call of az in a page's shell blocks or in a script."""
    for path in [*PAGES, *SCRIPTS]:
        text = path.read_text(encoding="utf-8")
        blocks = in_page(text) if path.suffix == ".md" else [text]
        for block in blocks:
            for command, options in calls_in(block):
                yield path.name, command, options


def in_page(text: str) -> list[str]:
    """The shell blocks of a page, and the commands within its sentences."""
    sentences = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    commands = [re.sub(r"\s+", " ", it) for it in re.findall(r"`(az\s[^`]+)`", sentences)]
    return [*re.findall(r"```sh\n(.*?)```", text, re.DOTALL), *commands]


def calls_in(script: str) -> Iterator[tuple[str, list[str]]]:
    """Calls of az in a script, also those within `$(...)`."""
    joined = re.sub(r"\\\n", " ", script)
    for text in scripts_in(re.sub(r"(^|\s)#.*$", "", joined, flags=re.MULTILINE)):
        for line in re.split(r"[\n|;]|&&", text):
            if found := re.search(r"(?:^|\s)az((?: [a-z][a-z0-9-]*)+)(.*)", re.sub(" +", " ", line)):
                yield found[1].strip(), re.findall(r"(?<=\s)(--?[a-z][a-z-]*)", found[2])


def scripts_in(script: str) -> list[str]:
    """A script, and each of those within `$(...)`, with Q for what is quoted or substituted."""
    open_scripts, found, quoted = [[""]], [], [False]
    rest = iter(range(len(script)))
    for at in rest:
        sign, double = script[at], quoted[-1]
        if sign == "'" and not double:
            for _ in range(script.index("'", at + 1) - at):
                next(rest)
            open_scripts[-1].append("Q")
        elif sign == '"':
            quoted[-1] = not double
            open_scripts[-1].append("Q")
        elif script.startswith("$(", at):
            next(rest)
            open_scripts.append([])
            quoted.append(False)
        elif sign == ")" and not double and len(open_scripts) > 1:
            found.append("".join(open_scripts.pop()))
            quoted.pop()
            open_scripts[-1].append("Q")
        elif not double:
            open_scripts[-1].append(sign)
    return [*found, "".join(open_scripts[0])]


@cache
def known() -> dict[str, Any]:
    """What az has: its `version`, and by command the options."""
    found: dict[str, Any] = json.loads(KNOWN.read_text(encoding="utf-8"))
    return found


def unknown(command: str, options: Sequence[str]) -> list[str]:
    """The options that the command does not have. Raises `KeyError` where there is no such command."""
    has = known()["commands"][command]
    return [it for it in options if it not in has]


def asked(command: str) -> list[str]:
    """The options of a command, as az itself lists them."""
    done = subprocess.run(["az", *command.split(), "--help"], capture_output=True, text=True, check=True)  # noqa: S603, S607 -- az, by hand
    heads = re.findall(r"^    (-[^:\[]*)", done.stdout, re.MULTILINE)
    return sorted({word for head in heads for word in head.split() if word.startswith("-")})


def main() -> None:
    """Ask az for every command that is called, and keep the answers."""
    version = json.loads(subprocess.run(["az", "version"], capture_output=True, text=True, check=True).stdout)  # noqa: S607 -- az, by hand
    commands = sorted({command for _, command, _ in calls()} | SCRIPTED)
    found = {command: asked(command) for command in commands}
    document = {"version": version["azure-cli"], "commands": found}
    KNOWN.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


SCRIPTED = {
    "deployment group what-if",
    "functionapp update-strategy config set",
    "functionapp update-strategy config show",
    "functionapp config appsettings list",
    "functionapp show",
    "group show",
    "identity show",
    "keyvault secret list",
    "keyvault secret set",
    "keyvault secret show",
    "rest",
    "role assignment delete",
    "stack group create",
    "stack group delete",
    "stack group list",
    "stack group show",
}
"""What our Python programs call."""

if __name__ == "__main__":
    main()

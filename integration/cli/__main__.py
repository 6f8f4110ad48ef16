"""The commands for a deployed app by themselves: `pip install '.[cli]'`, then `dataverse-integration support overview`.

They need neither the repository nor what the app runs on. `run.py` has the same commands, and others beside them.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final

from integration import __version__

_NAME: Final = "dataverse-integration"
COMMANDS: Final = {
    "support": "see what is broken, understand it, repair it",
    "bulk": "send many dead letters again, or discard them",
    "pause": "hold back calls to a system, or the events of a table",
    "resume": "let what is paused go on",
    "resync": "send records again, as after a restore",
    "matches": "list which customers of the ERP rows would be matched with",
}
"""The modules of this package that ask the app over HTTP, and nothing else."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the command line names; its exit code, 2 where there is none of that name."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["--version"]:
        print(f"{_NAME} {__version__}")
        return 0
    if not given or given[0] not in COMMANDS:
        return _listed(wanted=given[:1] in (["--help"], ["-h"]))
    module = importlib.import_module(f"integration.cli.{given[0]}")
    parser = argparse.ArgumentParser(
        prog=f"{_NAME} {given[0]}",
        description=(module.__doc__ or "").replace("run.py", _NAME),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.arguments(parser)
    code: int = module.main(parser.parse_args(given[1:]))
    return code


def _listed(*, wanted: bool) -> int:
    """The commands; to those who have asked for them, and to those who have named none that there is."""
    lines = [f"usage: {_NAME} COMMAND [options]", "", *(f"  {name:<9} {it}" for name, it in COMMANDS.items())]
    lines += ["", "COMMAND --help says more about each; --version shows the version."]
    print("\n".join(lines), file=sys.stdout if wanted else sys.stderr)
    return 0 if wanted else 2


if __name__ == "__main__":
    sys.exit(main())

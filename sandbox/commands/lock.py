"""Update the lock files from the requirements that are written by hand. Needs the network.

    requirements.in        what is deployed              requirements.txt
    requirements-lake.in   that, with Parquet files      requirements-lake.txt
    requirements-delta.in  that, with Delta tables       requirements-delta.txt
    requirements-dev.in    that, the sandbox, the tests  requirements-dev.txt
    requirements-host.in   Microsoft's worker library    requirements-host.txt

A lock names every library with its version and hashes, for each supported Python and each platform. Pins that still fit
are kept; --upgrade takes the newest that fit, --upgrade-package NAME does so for one library.
requirements-dev.txt has also what requirements-lake.in, requirements-mcp.in and requirements-exports.in name.
"""

import argparse
import importlib.util
import os
import sys

from sandbox.commands.checks import call

_UV = "uv==0.13.8"

OLDEST_PYTHON = "3.11"
"""The oldest Python that the lock files are for, as `requires-python` in pyproject.toml says."""

COMPILE = ("pip", "compile", "--universal", "--generate-hashes", "--python-version", OLDEST_PYTHON)
LOCKS: dict[str, tuple[str, ...]] = {
    "requirements.in": (*COMPILE, "requirements.in", "--output-file", "requirements.txt"),
    "requirements-lake.in": (
        *(*COMPILE, "requirements-lake.in", "--output-file", "requirements-lake.txt"),
        *("--constraint", "requirements.txt"),
    ),
    "requirements-delta.in": (
        *(*COMPILE, "requirements-delta.in", "--output-file", "requirements-delta.txt"),
        *("--constraint", "requirements.txt"),
    ),
    "requirements-dev.in": (
        *(*COMPILE, "requirements-dev.in", "--output-file", "requirements-dev.txt"),
        *("--constraint", "requirements.txt"),
    ),
    # It requires a newer Python than the oldest one (requirements-host.in); its own requirements are listed above.
    "requirements-host.in": (
        *("pip", "compile", "--generate-hashes", "--python-version", "3.13", "--no-deps"),
        *("requirements-host.in", "--output-file", "requirements-host.txt"),
    ),
}
"""The arguments of uv for each file that is written by hand."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    parser.add_argument(
        "--upgrade-package", action="append", default=[], metavar="NAME", help="take the newest version of this library"
    )


def main(options: argparse.Namespace) -> int:
    """0 if all locks are updated."""
    upgrades = ["--upgrade"] if options.upgrade else []
    upgrades += [part for name in options.upgrade_package for part in ("--upgrade-package", name)]
    if importlib.util.find_spec("uv") is None:  # only this command needs it
        status = call((sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _UV))
        if status:
            return status
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"  # no code runs in the Python that is resolved for
    statuses = [call((sys.executable, "-m", "uv", "--quiet", *compile_, *upgrades)) for compile_ in LOCKS.values()]
    return max(statuses)

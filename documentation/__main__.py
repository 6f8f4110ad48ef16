"""Check or write the generated parts, then build the site: `python3 run.py docs`."""

import argparse
import os
import subprocess
import sys

from documentation.descriptions import DescriptionError
from documentation.generated import outdated
from documentation.source import REPOSITORY

# Without this, the theme prints an advertisement for its successor with every build.
_QUIET = {"NO_MKDOCS_2_WARNING": "1"}


def main(arguments: list[str]) -> int:
    """0 when the pages are current and the site builds without a warning."""
    parser = argparse.ArgumentParser(prog="run.py docs", description="Build the documentation site into site/.")
    parser.add_argument("--write", action="store_true", help="bring the generated parts of the pages up to date")
    parser.add_argument("--no-site", action="store_true", help="do not build the site")
    parser.add_argument(
        "--serve", action="store_true", help="serve the site on 127.0.0.1:8000, and again when a page changes"
    )
    options = parser.parse_args(arguments)
    try:
        changes = outdated()
    except DescriptionError as error:
        print(error, file=sys.stderr)
        return 1
    for path, text in changes.items():
        name = path.relative_to(REPOSITORY)
        if options.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"written: {name}")
        else:
            print(f"{name} does not match the code: run python3 run.py docs --write", file=sys.stderr)
    if changes and not options.write:
        return 1
    if options.no_site:
        return 0
    if options.serve:
        return mkdocs("serve", "--strict", "--livereload")
    status = mkdocs("build", "--strict", "--clean")
    if status == 0:
        print(f"The site: {REPOSITORY / 'site' / 'index.html'}")
    return status


def mkdocs(*arguments: str) -> int:
    """Run mkdocs on the repository's site; its exit status."""
    command = [sys.executable, "-m", "mkdocs", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=os.environ | _QUIET, check=False).returncode  # noqa: S603 -- our own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

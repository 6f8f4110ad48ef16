"""Make the package that is deployed: python infra/package.py dist/app.zip, with --lake or --delta for those sinks.

The package has the files that .funcignore does not exclude, as with `func azure functionapp publish` and azd; other
top-level files than the app's are refused. Libraries are installed by the remote build. The same tree gives the same
bytes.
"""

import argparse
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

ROOT = Path(__file__).resolve().parents[1]
APP = {"function_app.py", "host.json", "integration", "requirements.txt", "dataverse.toml"}
ENVIRONMENTS = "environments"
"""With the files of environments for `run.py dataverse`, which hold no secret; it need not exist."""
OLDEST_DATE_OF_ZIP = (1980, 1, 1, 0, 0, 0)


def main() -> int:
    """Write the package and print its size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("package", type=Path, help="the zip file to write")
    sinks = parser.add_mutually_exclusive_group()
    sinks.add_argument("--lake", action="store_true", help="with the libraries that LAKE_CONTAINER_NAME needs")
    sinks.add_argument("--delta", action="store_true", help="with those, and the ones that DELTA_TABLE needs")
    given = parser.parse_args()
    package: Path = given.package
    names = packaged(ROOT)
    unexpected = ({name.partition("/")[0] for name in names} - {ENVIRONMENTS}) ^ APP
    if unexpected:
        print(
            f"Missing, or neither part of the app nor in .funcignore: {', '.join(sorted(unexpected))}", file=sys.stderr
        )
        return 1
    kind = "-delta" if given.delta else "-lake" if given.lake else ""
    write(ROOT, names, package, requirements=f"requirements{kind}.txt")
    print(f"{package}: {len(names)} files, {package.stat().st_size // 1024} KB")
    return 0


def packaged(root: Path) -> list[str]:
    """Files below `root` that are deployed, as paths with slashes, in order."""
    ignored = GitIgnoreSpec.from_lines((root / ".funcignore").read_text(encoding="utf-8").splitlines())
    return sorted(name for name in _files(root, ignored))


def write(root: Path, names: list[str], package: Path, *, requirements: str = "requirements.txt") -> None:
    """Zip the files; dates and modes are fixed. The remote build installs `requirements`, by the name that it knows."""
    package.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, OLDEST_DATE_OF_ZIP)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (root / (requirements if name == "requirements.txt" else name)).read_bytes())


def _files(root: Path, ignored: GitIgnoreSpec) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not ignored.match_file(f"{(here / name).as_posix()}/")]
        for name in files:
            path = (here / name).as_posix()
            if not ignored.match_file(path):
                yield path


if __name__ == "__main__":
    sys.exit(main())

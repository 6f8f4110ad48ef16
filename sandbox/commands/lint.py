"""`run.py lint`: format, types, imports."""

import sys

from sandbox.commands.checks import failed_checks


def main() -> int:
    """0 when every check passes."""
    failed = failed_checks()
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

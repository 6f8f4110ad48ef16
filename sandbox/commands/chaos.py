"""`run.py chaos`: the long tests. Arguments go to pytest."""

import sys

from sandbox.commands.checks import run_pytest

if __name__ == "__main__":
    sys.exit(run_pytest(["-m", "slow", *sys.argv[1:]]))

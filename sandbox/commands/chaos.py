"""Break things on purpose, and prove that nothing is lost or done twice: kills, frozen workers, outages, restores.

Without arguments it lists the scenarios. After each one, a checker reads the books of the ERP, of credit scoring and of
Dataverse, the ledger, the queue, the dead-letter queue and the archive. If the scenario holds, its figures are kept in
docs/evidence; if it falls short, the command ends with status 1 and leaves its logs.

    run.py chaos
    run.py chaos worker-kills
    run.py chaos worker-kills broker-restarts --night
    run.py chaos crash-points erp-answers --erp business-central
    run.py chaos all --seed 7

docs/explanation/reliability.md has the figures and says what each scenario does.
"""

import argparse
import sys
from pathlib import Path

from sandbox.commands.checks import call
from sandbox.running.erp import ERPS


def arguments(parser: argparse.ArgumentParser) -> None:
    """The scenarios themselves are tests, which nothing here imports."""
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="the scenarios to run, or all")
    parser.add_argument("--night", action="store_true", help="the long scenarios, for a night")
    parser.add_argument("--seed", type=int, help="repeat the changes and faults of a run, but not their moments")
    parser.add_argument("--erp", choices=sorted(ERPS), help="the kind of ERP, for scenarios that can be run with it")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the figures go (docs/evidence)")


def main(options: argparse.Namespace) -> int:
    """The exit status is 1 when a scenario falls short."""
    chosen = [*options.scenarios, *(["--night"] if options.night else [])]
    for name in ("seed", "erp", "keep"):
        if getattr(options, name) is not None:
            chosen += [f"--{name}", str(getattr(options, name))]
    return call((sys.executable, "-m", "sandbox.terminal.ending", "tests.chaos.main", *chosen))

"""Play the journeys of customers and orders with each kind of ERP: first to last, lost answers, repair, events back.

    run.py journeys
    run.py journeys --erp business-central

Each kind has a sandbox of its own. Those with the ERP of the REST contract are part of run.py test too.
"""

import argparse
import os

from sandbox.commands.checks import run_pytest
from sandbox.commands.session import install_azurite
from sandbox.running.erp import ERPS

PASSES_ON = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options; others are pytest's."""
    parser.add_argument(
        "--erp", choices=sorted(ERPS), action="append", help="only this kind; may be given several times"
    )


def main(options: argparse.Namespace) -> int:
    """The exit status is pytest's."""
    install_azurite()
    os.environ["JOURNEYS_ERPS"] = ",".join(options.erp or ERPS)
    return run_pytest(["tests/end_to_end/erps", "-n", "0", *options.passed_on], title="Journeys with each ERP")

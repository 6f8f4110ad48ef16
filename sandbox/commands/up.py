"""`run.py up`: keep the sandbox up for development, until Ctrl-C or SIGTERM. Its state is kept for the next time.

When a Python file of the app, host.json or the settings file changes, the app is started again.
"""

import argparse
import sys
import time
from pathlib import Path

from sandbox.commands.session import Interrupted, run_with, say
from sandbox.machine.ports import Ports
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox

_POLL_SECONDS = 0.25


def main() -> int:
    """Stay up until told to stop; 0 when that went in good order."""
    parser = argparse.ArgumentParser(prog="run.py up", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs have left")
    parser.add_argument(
        "--state",
        type=Path,
        default=REPOSITORY / ".sandbox",
        metavar="DIR",
        help="where state, logs and endpoints.json are kept (.sandbox)",
    )
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="a local.settings.json; what the sandbox sets itself (addresses, keys) wins over it",
    )
    Ports.add_options(parser)
    options = parser.parse_args()
    settings_file = options.settings.resolve() if options.settings else None
    sandbox = Sandbox(options.state, Ports.from_options(options), settings_file=settings_file, restart=True, say=say)

    def stay(reached: Endpoints) -> int:
        say(summary(reached, sandbox))
        reload = sandbox.reload()
        try:
            while True:
                time.sleep(_POLL_SECONDS)
                reload.poll()
        except Interrupted:
            say("Stopping ...")
            return 0

    return run_with(sandbox, stay, fresh=options.fresh)


def summary(reached: Endpoints, sandbox: Sandbox) -> str:
    """What a developer needs to use the sandbox."""
    client = reached.dataverse_client
    return f"""
The sandbox is up. Ctrl-C stops it; its state is kept (--fresh forgets it). A change of the app starts it again.

  functions       {reached.functions}
  dataverse       {reached.dataverse}   (certificate authority: {client.ca_file})
  erp             {reached.erp}
  credit          {reached.credit}
  webhook key     {reached.webhook_key}
  operations key  {reached.operations_key}
  service bus     {reached.servicebus}
  event hubs      {reached.eventhubs}
  storage         {reached.storage}
  app user        tenant {client.tenant}, client id {client.client_id}, secret {client.secret}

  The same in {sandbox.state.endpoints}
  Logs of each process in {sandbox.state.logs}

  Send a captured webhook, then see what became of it:

  curl -i '{reached.functions}/api/dataverse/webhook?code={reached.webhook_key}' \\
    -H 'Content-Type: application/json' --data-binary @tests/payloads/webhook_async_update_account_2019.json
  curl -H 'x-functions-key: {reached.operations_key}' '{reached.functions}/api/operations/EVENT-ID'
"""


if __name__ == "__main__":
    sys.exit(main())

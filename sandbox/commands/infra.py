"""Show what an environment comes to: resources, settings of its app, who may do what, and what it costs.

    run.py infra prod
    run.py infra dev --events-per-day 1000

It reads the golden expansion of the environment's parameters (infra/golden), which tests hold against the templates.
Nothing is asked of Azure; names differ from Azure's in the hash at their end.
"""

import argparse

from sandbox.deployment import environments
from sandbox.deployment.cost import estimate_of
from sandbox.deployment.inventory import Inventory
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import PYTHON


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("environment", choices=environments.names(), help="which one")
    parser.add_argument("--events-per-day", type=float, default=50_000, metavar="N", help="for the cost (%(default)d)")


def main(options: argparse.Namespace) -> int:
    """0."""
    screen, it = Screen(), Inventory.read(options.environment)
    screen.title(f"{it.name}: {len(it.resources)} resources, and {it.parts} parts of them")
    screen.table(("type", "name", "what of it"), [(one.kind, one.name, one.facts) for one in it.resources])
    screen.title("Settings of the app")
    for name, value in it.settings.items():
        screen.entry(name, value, label_width=max(map(len, it.settings)))
    screen.title("Who may do what")
    screen.table(("identity", "role", "on"), [(one.identity, one.role, one.on) for one in it.rights])
    cost = estimate_of(it.name, options.events_per_day)
    screen.title(f"About {cost.month:,.0f} US dollars a month at {options.events_per_day:,.0f} events a day")
    screen.say(f"First limit: {cost.ceilings[0].events_a_day:,.0f} events a day, {cost.ceilings[0].what}.")
    screen.command(f"{PYTHON} run.py cost --events-per-day {options.events_per_day:.0f} --environment {it.name}")
    return 0

"""Calculate what the environments cost at so many events a day, and which limit is reached first.

    run.py cost --events-per-day 50000
    run.py cost --events-per-day 50000 --environment prod
    run.py cost --events-per-day 50000 --with lake sendToLogAnalytics

It calculates with the resources of each environment (infra/golden), what an event needs (measured by run.py bench), and
the prices and assumptions in infra/prices.toml, which says where each price was read. Nothing is asked of Azure. The
cost of Functions is an upper bound: as if every event came alone. --with adds options of main.bicep. Not calculated are
stored gigabytes, outbound traffic, DNS zones, other systems, a capacity of Fabric, and licences of Dynamics 365.
"""

import argparse
import dataclasses

from sandbox.deployment import environments, prices
from sandbox.deployment.cost import Estimate, estimate_of
from sandbox.deployment.options import OPTIONS
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import listed


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--events-per-day", type=_positive, required=True, metavar="N", help="events a day, on average")
    parser.add_argument("--environment", choices=environments.names(), help="this one alone, line by line")
    parser.add_argument(
        "--with",
        dest="options",
        nargs="+",
        choices=sorted(OPTIONS),
        default=[],
        metavar="OPTION",
        help="add these parameters of main.bicep: " + ", ".join(sorted(OPTIONS)),
    )
    parser.add_argument(
        "--dataverse-requests-per-day",
        type=_positive,
        metavar="N",
        help="what your licences include for application users; infra/prices.toml says what is assumed",
    )


def main(options: argparse.Namespace) -> int:
    """0."""
    limits = prices.limits()
    if options.dataverse_requests_per_day:
        limits = dataclasses.replace(limits, dataverse_requests_a_day=options.dataverse_requests_per_day)
    screen = Screen()
    chosen = [options.environment] if options.environment else environments.names()
    estimates = [estimate_of(name, options.events_per_day, limits, options.options) for name in chosen]
    if options.environment:
        _lines(screen, estimates[0])
    added = f", with {listed(sorted(options.options))}" if options.options else ""
    screen.title(f"{options.events_per_day:,.0f} events a day{added}, in US dollars")
    screen.table(("environment", "a month", "a day", "a million events", "first limit, in events a day"), [
        (it.deployed.name, f"{it.month:,.2f}", f"{it.day:,.2f}", f"{it.million_events:,.2f}", _first(it))
        for it in estimates
    ])  # fmt: skip
    screen.say()
    screen.say(
        f"Assumed, and not measured: {listed(sorted(prices.assumptions()))} (infra/prices.toml says how to find out)."
    )
    screen.say(
        f"List prices of several regions, as public sources had them on {prices.read_on()}: "
        "compare them with your own price sheet."
    )
    return 0


def _lines(screen: Screen, it: Estimate) -> None:
    screen.title(f"{it.deployed.name}: a month of {it.events_a_day:,.0f} events a day")
    rows = [(line.use.what, f"{line.use.amount:,.0f} {line.meter.unit}", f"{line.usd:,.2f}") for line in it.lines]
    screen.table(("what", "amount", "US dollars"), rows)
    screen.title("Limits, at an even rate")
    limits = [(f"{one.events_a_day:,.0f}", f"{one.what}: {one.remedy}") for one in it.ceilings]
    screen.table(("events a day", "what is reached, and what helps"), limits)


def _first(it: Estimate) -> str:
    lowest = it.ceilings[0]
    reached = " (REACHED)" if lowest.events_a_day < it.events_a_day else ""
    return f"{lowest.events_a_day:,.0f}{reached}: {lowest.what}"


def _positive(text: str) -> float:
    number = float(text.replace(",", "").replace("_", ""))
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return number

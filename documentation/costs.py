"""What the environments cost, as `run.py cost` calculates it."""

from documentation.blocks import code, table
from sandbox.deployment import environments, prices
from sandbox.deployment.cost import Estimate, estimate_of

_EVENTS_A_DAY = (1_000, 50_000, 250_000)


def page_part() -> str:
    """A month of each environment at different numbers of events, and the limit that is reached first."""
    rows = []
    for name in environments.names():
        estimates = [estimate_of(name, events) for events in _EVENTS_A_DAY]
        rows.append([code(name), *(_dollars(it) for it in estimates), _first(estimates[0])])
    heads = [f"{events:,} events a day" for events in _EVENTS_A_DAY]
    shown = table(["US dollars a month (for a million events)", *heads, "first limit, in events a day"], rows)
    assumed = [f"`{name}`: {text}" for name, text in prices.assumptions().items()]
    return "\n".join([shown, "", "Two figures are assumptions:", "", *(f"- {it}" for it in assumed)])


def options_part() -> str:
    """What each option adds, in the words of its price."""
    rows = [
        [code(name), f"{it.usd:g} for {_per(it.per)}{it.unit}", f"{it.free:,}" if it.free else "", it.source]
        for name, it in prices.options().items()
    ]
    return table(["option", "US dollars", "free in a month", "price"], rows)


def _per(amount: float) -> str:
    return "each " if amount == 1 else f"{amount:,} "


def _dollars(it: Estimate) -> str:
    return f"{it.month:,.0f} ({it.million_events:,.0f})"


def _first(it: Estimate) -> str:
    lowest = it.ceilings[0]
    return f"{lowest.events_a_day:,.0f}: {lowest.what}"

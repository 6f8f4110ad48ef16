"""Show the trace of an event: what was done for it, in which order, and how long it took.

    run.py trace da18f539

The tree has the intake, each attempt with its calls to other systems, what was
published, and what the readers of the hub did with it. Times are those since the
first span.
"""

import argparse

from sandbox.commands.here import CommandError, add_state_option, client_of
from sandbox.commands.status import resolve
from sandbox.running.state import StateDirectory
from sandbox.systems.collector.tree import branches
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import duration, shortened
from sandbox.watching.journal import Journal


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("event", help="the event's id, or the beginning of it")
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if the event has a trace."""
    client, screen = client_of(options), Screen()
    event_id = resolve(options.event, Journal.of(StateDirectory(options.state).logs))
    spans = client.collector.trace_of(event_id)
    if not spans:
        raise CommandError(
            f"The collector has no span of event {event_id}. Spans come within a second; an event whose trace is not "
            "sampled (OTEL_TRACES_SAMPLER_ARG) has none unless it fails."
        )
    screen.say(f"Trace {spans[0]['traceId']}", "bold")
    rows = [
        (f"+{it.after:.3f} s", duration(it.seconds), f"{'  ' * it.depth}{it.span['name']}", shortened(it.said))
        for it in branches(spans)
    ]
    screen.table(("at", "took", "span", "how it ended"), rows)
    return 0

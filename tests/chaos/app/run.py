"""One run: people change rows while the nemesis strikes, then quiet, then what can be seen is written down."""

import random
import threading
from collections.abc import Callable

from tests.books.history import History
from tests.chaos.app.bench import Bench
from tests.chaos.app.changes import Changes
from tests.chaos.app.model import NO_CURRENCY
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.app.observe import Show, observe, silent
from tests.chaos.app.people import People, Sender

Strikes = Callable[[Nemesis, threading.Event], None]


def run(
    bench: Bench,
    *,
    seed: int,
    changes: int,
    rate: float,
    strikes: Strikes,
    within: float = 60.0,
    copies: bool = False,
    show: Show = silent,
) -> History:
    """`strikes` has the nemesis strike until the event says that people are done.

    `within` is that of `observe`. With `copies`, every event is delivered 1 to 5 times.
    """
    rng = random.Random(seed)  # noqa: S311 -- repeatable
    client, history = bench.client(), History(seed)
    seen = client.dataverse.last_event()
    unknown_currency = client.dataverse.currency(NO_CURRENCY, "No currency")
    plan = Changes(seed, unknown_currency=unknown_currency, always_copies=copies)
    sender = Sender(bench.client(), rng)
    sender.start()
    nemesis, done = Nemesis(bench, bench.client(), rng), threading.Event()
    striker = threading.Thread(target=strikes, args=(nemesis, done), name="nemesis", daemon=True)
    striker.start()
    try:
        records = People(client, sender, rate=rate).make(plan.draw(changes))
    finally:
        done.set()
        striker.join()
        nemesis.heal()
    sender.finish()
    assert not sender.refused, sender.refused
    history.unacceptable, history.nemesis = plan.unacceptable, nemesis.strikes
    history.answers = sender.answers
    observe(bench, history, records, seen=seen, within=within, show=show)
    return history

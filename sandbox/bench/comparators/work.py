"""What every worker does with a message."""

import os

from sandbox.bench.comparators.context import Context
from sandbox.bench.comparators.ledger import Ledger
from sandbox.bench.comparators.outside_calls import OutsideCalls


class Work:
    """The calls for one account, in the app's order."""

    def __init__(self, outside: OutsideCalls, ledger: Ledger | None) -> None:
        self._outside = outside
        self._ledger = ledger

    @classmethod
    async def open(cls) -> "Work":
        """Connect; LEDGER_CALLS says how many calls to the tables each message costs, none if it is not set."""
        calls = int(os.environ.get("LEDGER_CALLS", "0"))
        return cls(await OutsideCalls.open(), await Ledger.open(calls) if calls else None)

    async def __call__(self, context: Context) -> None:
        """Handle one message."""
        account = str(context.primary_entity_id)
        ledger = self._ledger
        if ledger is not None:
            await ledger.recall(account)
        row = await self._outside.read(account)
        if ledger is not None:
            await ledger.before_the_effect(account)
        number = await self._outside.put_customer(account, row, str(context.operation_id))
        await self._outside.write_back(account, row["@odata.etag"], number)
        if ledger is not None:
            await ledger.after_the_effect(account)

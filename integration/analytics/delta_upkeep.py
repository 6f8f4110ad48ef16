"""The upkeep of the Delta table: many small files become few, and what nobody reads any more is removed.

Each commit of the sink is a file. Who opens the table reads the names of all of them, the sink too, and keeps them in
memory; so there should be few. Small files are put together in one commit, which changes no row; what it has replaced
is removed a week later, when no query reads it any more. Commits older than the table's log retention (a month, unless
the table says otherwise) are removed from the log. Others may write meanwhile.
"""

from integration.analytics.delta_table import OpenTable
from integration.telemetry import get_logger

_TARGET_BYTES = 64 * 1024 * 1024
"""Of a file that is put together: a smaller one is, with what came since, put together again."""
_log = get_logger(__name__)


class Upkeep:
    """Of one table."""

    def __init__(self, table: OpenTable) -> None:
        self._table = table

    def run(self) -> None:
        """Once. Raises `Outage` if the table cannot be reached, or somebody else puts files together meanwhile."""
        with self._table.newest() as table:
            done = table.optimize.compact(target_size=_TARGET_BYTES)
            table.vacuum(dry_run=False)
            table.create_checkpoint()
            table.cleanup_metadata()
        _log.info("delta-upkeep", count=done["numFilesRemoved"])

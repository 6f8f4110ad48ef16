"""The same done to many events: planned, tried on a few, then done at a rate, by whichever instance is at work."""

from integration.operations.bulk.control import BulkControl, possible, right_for
from integration.operations.bulk.planner import Planner
from integration.operations.bulk.runner import BulkRunner
from integration.operations.bulk.store import BulkStore

__all__ = ["BulkControl", "BulkRunner", "BulkStore", "Planner", "possible", "right_for"]

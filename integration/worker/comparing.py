"""Whether a row has to be written, and what debug detail logs of that."""

from collections.abc import Mapping
from typing import Any

from integration.dataverse import Row, differs, version_of
from integration.telemetry import detailed_event, get_logger

_log = get_logger(__name__)


def has_to_be_written(row: Row, wanted: Mapping[str, Any]) -> bool:
    """Whether the row differs from these columns."""
    writes = differs(row, wanted)
    if detailed_event() is not None:
        outcome = "differs" if writes else "same"
        _log.debug("debug-compared", columns=[*wanted], version=version_of(row), outcome=outcome)
    return writes

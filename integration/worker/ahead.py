"""A system that holds a newer state of a record than the row that was read."""

from integration.dataverse import Row
from integration.errors import Permanent, Stale


def ahead(error: Stale, read: Row | None, now: Row | None) -> Permanent | None:
    """The failure of a system that is ahead of Dataverse; None where the row has moved on since it was `read`.

    Only a row that stands still shows it: Dataverse was restored from an older copy.
    """
    if read is None or now is None or read.version != now.version:
        return None
    system = error.service or "system"
    return Permanent(
        f"the {system} holds a newer state of the record than Dataverse: if Dataverse was restored from an "
        "older copy, send its records again (POST /api/operations/resync); a "
        "forced retry of this event overwrites it",
        reason=f"{system}-ahead",
        service=error.service,
    )

"""What the contents of events are called in their container: `<hash of the session>/<event id>/<SHA-256>`.

The first part finds everything of a record, for whoever has to erase it; the last part makes a delivery that carries
something else a blob of its own.
"""

from integration.events import IntegrationEvent
from integration.events.model import Claim
from integration.ledger import keys


def name_of(event: IntegrationEvent, claim: Claim) -> str:
    """The name of what the event carries."""
    return f"{folder_of(event.session_id)}{event.event_id}/{claim.sha256}"


def folder_of(session_id: str) -> str:
    """What the names of all contents of one session begin with."""
    return f"{keys.hashed(session_id, 32)}/"


def event_id_in(name: str) -> str:
    """The event to which a name belongs; empty for a name that is none of ours."""
    _, _, rest = name.partition("/")
    return rest.partition("/")[0]

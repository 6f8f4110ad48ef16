"""The messages by which a system tells Dataverse that a row behind a virtual table has changed, and on which steps run.

Source: "Enable Virtual Tables to support Dataverse events" in Microsoft's documentation.
"""

from typing import Final

CREATED: Final = "OnExternalCreated"
UPDATED: Final = "OnExternalUpdated"
DELETED: Final = "OnExternalDeleted"

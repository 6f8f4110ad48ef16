"""Who may read and write the virtual tables."""

from pydantic import Field, Json

from integration.settings.part import Part
from integration.settings.types import CallerKeys


class VirtualTables(Part):
    """Who may read and write the virtual tables."""

    virtual_table_keys: Json[dict[str, CallerKeys]] = Field(
        default_factory=dict,
        alias="VIRTUAL_TABLE_KEYS",
        description="Callers of the virtual tables and their keys, in the same form. The data source in Dataverse "
        "sends its key as a header. Without a caller, no virtual table answers.",
    )
    virtual_table_writers: Json[list[str]] = Field(
        default_factory=list,
        alias="VIRTUAL_TABLE_WRITERS",
        description='The callers of VIRTUAL_TABLE_KEYS that may create, change and delete rows: JSON ["dataverse"].',
    )
    virtual_table_events: bool = Field(
        default=False,
        alias="VIRTUAL_TABLE_EVENTS",
        description="Whether Dataverse is told of changes in the ERP, so that flows on the virtual tables run; the "
        "tables have to be registered (python3 run.py dataverse apply).",
    )
    virtual_table_requests: int = Field(
        default=600,
        ge=1,
        alias="VIRTUAL_TABLE_REQUESTS",
        description="Requests in a minute that one caller of the virtual tables may send to one instance.",
    )

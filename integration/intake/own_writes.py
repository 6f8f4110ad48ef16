"""Recognises events that this app has caused itself; they end at the intake, or each write would cause another one."""

from collections.abc import Collection, Mapping

from integration.events import IntegrationEvent

_PLATFORM_WRITTEN = frozenset(
    {"exchangerate", "timezoneruleversionnumber", "utcconversiontimezonecode", "versionnumber"}
)
"""What Dataverse itself adds to an update. (No event names modifiedon and the like as changed.)"""


class OwnWrites:
    """Recognises own writes by what they change, together with the tag of the same operation.

    The tag alone is not enough: a partner's plug-in that takes part in our update adds columns of its own to it. Nor is
    the user: plug-ins and flows that our update starts run as our user and change other columns. Nor is the depth,
    because legitimate actions of users also raise it. An event whose columns are not known is not treated as an own
    write: a superfluous event costs one read, but an event that is wrongly ignored is lost.
    """

    def __init__(self, tag: str, results: Mapping[str, Collection[str]]) -> None:
        """`results` has the columns that this app writes, by table."""
        self._tag = tag
        self._written = {
            table: _PLATFORM_WRITTEN.union(columns, (f"{column}_base" for column in columns))
            for table, columns in results.items()
        }

    def __contains__(self, event: IntegrationEvent) -> bool:
        if event.message != "Update" or event.tag != self._tag or event.changed_columns is None:
            return False
        return self._written.get(event.table, _PLATFORM_WRITTEN).issuperset(event.changed_columns)

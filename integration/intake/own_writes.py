"""Which events this app has caused itself: they end at the intake, or each write would bring about another one."""

from collections.abc import Collection, Mapping

from integration.events import IntegrationEvent

_PLATFORM_WRITTEN = frozenset(
    {"exchangerate", "timezoneruleversionnumber", "utcconversiontimezonecode", "versionnumber"}
)
"""What Dataverse adds to an update by itself, beside modifiedon and the like, which no event names as changed."""


class OwnWrites:
    """Recognises own writes by what they change, together with the tag of the same operation.

    The tag alone does not do: a partner's plug-in that takes part in our update adds columns of its own to it. The user
    does not either: plug-ins and flows that our update sets off run as our user, and change what they like; nor does
    the depth, which legitimate actions of users raise. An event whose columns are not known is no own write: a
    superfluous event costs one read, a lost one is lost.
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

"""Who somebody is here, and what each role may do."""

from typing import Final

from integration.console.asking import Ask, Page, Route
from integration.console.parts import Parts
from integration.operations.rights import Right
from integration.settings.types import Role

_MAY: Final = (
    (Role.READER, Right.LOOK, "Look at everything here but payloads."),
    (Role.OPERATOR, Right.REPAIR, "Retry, edit and retry, postpone; plan and run bulk retries; pause and resume."),
    (Role.ADMINISTRATOR, Right.ADMINISTER, "Force effects that are done, discard, restore, send records again."),
    (Role.PAYLOADS, Right.PAYLOADS, "See and edit the values that events carry, and texts of other systems unmasked."),
)


async def access(parts: Parts, ask: Ask) -> Page:  # noqa: ARG001 -- as all pages
    """The page."""
    rows = [(role.value, says, ask.person.may(right)) for role, right, says in _MAY]
    return Page("access.html", {"rows": rows})


ROUTES: Final = (Route("GET", "access", Right.LOOK, access),)

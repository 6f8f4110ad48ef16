"""The route that says which customers of the ERP rows of Dataverse would be matched with."""

from typing import Any, Protocol

import azure.functions as func

from integration.operations.answers import as_json
from integration.operations.rights import Person, Right
from integration.operations.routes.admitted import ANONYMOUS, Operators
from integration.systems import CustomerMatch


class Matches(Protocol):
    """Looks page by page, and changes nothing; raises `Rejected` for a table whose rows are matched with nothing."""

    async def page(self, table: str, following: str) -> tuple[list[tuple[str, CustomerMatch]], str]: ...


def blueprint(operators: Operators, matches: Matches) -> func.Blueprint:
    """The function of this route."""
    bp = func.Blueprint()

    @bp.route(route="operations/matches", methods=["GET"], auth_level=ANONYMOUS)
    @operators.only(Right.LOOK)
    async def list_matches(req: func.HttpRequest, by: Person) -> func.HttpResponse:  # noqa: ARG001 -- whoever may look
        params = req.params
        found, following = await matches.page(params.get("table", ""), params.get("following", ""))
        return as_json({"matches": [_match(row_id, it) for row_id, it in found], "following": following}, 200)

    return bp


def _match(row_id: str, match: CustomerMatch) -> dict[str, Any]:
    return {"recordId": row_id, **match.model_dump(mode="json", by_alias=True)}

"""The HTTP trigger of the virtual tables."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from integration.virtual_tables.site import Site

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def blueprint(open_site: Callable[[], "Site"]) -> func.Blueprint:
    """Bind every address below /api/odata; the site is made with the first request, as most instances get none."""
    bp = func.Blueprint()
    site = cache(open_site)

    @bp.route(route="odata/{*path}", methods=_METHODS, auth_level=func.AuthLevel.ANONYMOUS)
    async def virtual_tables(req: func.HttpRequest) -> func.HttpResponse:
        return await site().answer(req)

    return bp

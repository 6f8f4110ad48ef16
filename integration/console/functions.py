"""The HTTP triggers of the console: its pages, and their forms."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from integration.console.site import Site


def blueprint(open_site: Callable[[], "Site"]) -> func.Blueprint:
    """Bind every address below /api/console; the site is made with the first request, as most instances get none."""
    bp = func.Blueprint()
    site = cache(open_site)

    @bp.route(route="console/{*path}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def console(req: func.HttpRequest) -> func.HttpResponse:
        return await site().answer(req)

    @bp.route(route="console/{*path}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    async def console_form(req: func.HttpRequest) -> func.HttpResponse:
        return await site().answer(req)

    return bp

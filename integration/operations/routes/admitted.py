"""Who may call the routes of operations, and what becomes of errors there."""

from collections.abc import Awaitable, Callable

import azure.functions as func

from integration.admission import CallerKeys
from integration.operations.answers import answered

_AWAY = "The request could not be carried out now; repeat it, nothing is done twice"
_DEFECT = "The request could not be carried out because of a defect; look at the log before you repeat it."

Act = Callable[[func.HttpRequest, str], Awaitable[func.HttpResponse]]
"""Does what a request asks for, for the caller of this name."""
Trigger = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]

ANONYMOUS = func.AuthLevel.ANONYMOUS
"""To the host: the app admits callers itself."""


class Operators:
    """Admits callers by their operations key."""

    def __init__(self, keys: CallerKeys) -> None:
        self._keys = keys

    def only(self, act: Act) -> Trigger:
        """`act` as the function of a trigger, with its name: called for whoever has a key; the others get 401."""

        async def trigger(req: func.HttpRequest) -> func.HttpResponse:
            async def ask() -> func.HttpResponse:
                headers = {name.lower(): value for name, value in req.headers.items()}
                return await act(req, self._keys.admit(headers, req.params))

            return await answered(ask, away=_AWAY, defect=_DEFECT)

        trigger.__name__ = getattr(act, "__name__", "")
        return trigger

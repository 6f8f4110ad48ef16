"""Who may call the routes of operations, and what becomes of errors there."""

from collections.abc import Awaitable, Callable, Sequence

import azure.functions as func

from integration.operations.answers import answered
from integration.operations.forgery import check_call
from integration.operations.rights import Person, Right, Staff
from integration.public_address import PublicAddress

_AWAY = "The request could not be carried out now; repeat it, nothing is done twice"
_DEFECT = "The request could not be carried out because of a defect; look at the log before you repeat it."

Act = Callable[[func.HttpRequest, Person], Awaitable[func.HttpResponse]]
"""Does what a request asks for, for this person."""
Trigger = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]

ANONYMOUS = func.AuthLevel.ANONYMOUS
"""To the host: the app admits callers itself."""


class Operators:
    """Admits people and programs that have the right for what they ask."""

    def __init__(self, staff: Staff, address: PublicAddress) -> None:
        self._staff = staff
        self._address = address

    def only(self, right: Right, *more: Right) -> Callable[[Act], Trigger]:
        """Decorates what a route does: it is called for whoever has these rights; the others get 401 or 403."""
        return lambda act: self._trigger(act, (right, *more))

    def _trigger(self, act: Act, rights: Sequence[Right]) -> Trigger:
        """`act` as the function of a trigger, with its name."""

        async def trigger(req: func.HttpRequest) -> func.HttpResponse:
            async def ask() -> func.HttpResponse:
                headers = {name.lower(): value for name, value in req.headers.items()}
                person = await self._staff.admit(headers, req.params)
                if req.method == "POST" and not person.by_header:
                    check_call(headers, self._address.of_app(req.url, headers))
                for right in rights:
                    person.check(right)
                return await act(req, person)

            return await answered(ask, away=_AWAY, defect=_DEFECT)

        trigger.__name__ = getattr(act, "__name__", "")
        return trigger

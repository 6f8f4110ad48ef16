"""Validates answers before they are used."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from integration.errors import Outage
from integration.transport.exchange import Response

Answer = TypeVar("Answer", bound=BaseModel)


def validated(model: type[Answer], response: Response) -> Answer:
    """The body of a successful answer as `model`.

    Raises `Outage`, because an answer outside the contract did not come from the system that we know:
    `<service>-answer-unreadable` when it is not JSON, `<service>-answer-invalid` when it is JSON of another shape (a
    gateway's, or a new version's). The message names the fields, never their values.
    """
    content = response.json()
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, fault["loc"])) or "the body" for fault in error.errors()}))
        service = response.request.service
        raise Outage(
            f"{service} answered '{response.request.operation}' with something outside its contract: {fields}",
            reason=f"{service}-answer-invalid",
            service=service,
        ) from None

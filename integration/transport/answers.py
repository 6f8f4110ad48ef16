"""Answers are validated before anybody uses them."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from integration.errors import Permanent
from integration.transport.exchange import Response

Answer = TypeVar("Answer", bound=BaseModel)


def validated(model: type[Answer], response: Response) -> Answer:
    """The body of a successful answer as `model`.

    Raises `Transient` (`<service>-answer-unreadable`) when it is not JSON, since then something else answered, and
    `Permanent` (`<service>-answer-invalid`) when it is JSON that breaks the contract: the same request would get the
    same answer again. The message names the fields, never their values.
    """
    content = response.json()
    try:
        return model.model_validate(content)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, fault["loc"])) or "the body" for fault in error.errors()}))
        service = response.request.service
        raise Permanent(
            f"{service} answered '{response.request.operation}' with something outside its contract: {fields}",
            reason=f"{service}-answer-invalid",
        ) from None

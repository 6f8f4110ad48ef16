"""What an intake checks before it accepts: the key, the size, and that the body is a RemoteExecutionContext."""

import hmac
import os
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_pascal

PATH = "/api/dataverse/webhook"
_KEY = os.environ["WEBHOOK_KEY"].encode()
_LIMIT_BYTES = 524_288


class Context(BaseModel):
    """The members that anybody needs; the others are ignored."""

    model_config = {"alias_generator": to_pascal}

    message_name: str
    primary_entity_name: str
    primary_entity_id: UUID
    operation_id: UUID
    operation_created_on: str
    correlation_id: UUID
    organization_id: UUID
    depth: int
    stage: int
    mode: int
    input_parameters: list[Any]


class RefusedError(Exception):
    """The request is answered with `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def admit(key: str, body: bytes) -> Context:
    """The context in `body`; raises `RefusedError`."""
    if not hmac.compare_digest(key.encode(), _KEY):
        raise RefusedError(401)
    if len(body) > _LIMIT_BYTES:
        raise RefusedError(413)
    try:
        return Context.model_validate_json(body)
    except ValidationError:
        raise RefusedError(400) from None

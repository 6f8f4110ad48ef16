"""What the parts of the settings have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

NAMESPACE = "Instead of the connection string: NAME.servicebus.windows.net, reached with the managed identity."


class Part(BaseModel):
    """Some of the app's settings, by subject. Each field's alias is its name in the environment."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def optional(alias: str, description: str) -> Any:
    """A setting that may be left out."""
    return Field(default=None, alias=alias, description=description)

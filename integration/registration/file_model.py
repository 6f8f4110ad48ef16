"""What the parts of the declaration and of an environment's file have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

UniqueName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,64}$")]


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class FileModel(BaseModel):
    """A section of a TOML file: names with dashes, and none that is unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_dashed, validate_by_name=True)

"""model.json of the Common Data Model: which columns the files of a table have, as they have no header.

Source: "The model.json metadata file for the Common Data Model" (learn.microsoft.com), and what others have published
of their exports. What is not needed here is passed over.
"""

from collections.abc import Iterable

from pydantic import BaseModel, Field, ValidationError

from integration.errors import Permanent


class Attribute(BaseModel):
    """A column."""

    name: str


class Format(BaseModel):
    """How files are written."""

    headers: bool = Field(default=False, alias="columnHeaders")
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"


class Partition(BaseModel):
    """A file or several."""

    format: Format = Field(default_factory=Format, alias="fileFormatSettings")


class Entity(BaseModel):
    """A table."""

    name: str
    attributes: list[Attribute] = Field(default_factory=list)
    partitions: list[Partition] = Field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """The names of the columns in lower case, in the order in which they stand in a line."""
        return [it.name.lower() for it in self.attributes]

    @property
    def format(self) -> Format:
        """How its files are written; without a partition as Synapse Link writes them."""
        return self.partitions[0].format if self.partitions else Format()


class Model(BaseModel):
    """What stands in the file."""

    entities: list[Entity]

    def table(self, name: str) -> Entity | None:
        """The table of this logical name."""
        return next((it for it in self.entities if it.name.lower() == name.lower()), None)


def read_model(content: Iterable[bytes], place: str) -> Model:
    """The model in a file; raises `Permanent` for something else."""
    try:
        return Model.model_validate_json(b"".join(content).removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        said = f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"
        raise Permanent(f"{place} is no model.json: {said}", reason="export-unreadable") from error

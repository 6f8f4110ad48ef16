"""Custom APIs and the catalog, as dataverse.toml declares them. Names of types and options are Dataverse's own."""

from typing import Annotated, Final, Literal, get_args

from pydantic import Field, StringConstraints

from integration.registration.file_model import FileModel, UniqueName

TypeName = Literal[
    "Boolean", "DateTime", "Decimal", "Entity", "EntityCollection", "EntityReference", "Float", "Integer",
    "Money", "Picklist", "String", "StringArray", "Guid",
]  # fmt: skip
TYPES: Final = {name: number for number, name in enumerate(get_args(TypeName))}
"""The column `type` of request parameters and response properties."""
Text = Annotated[str, StringConstraints(max_length=100)]
"""A name that people see."""
LongText = Annotated[str, StringConstraints(max_length=240)]
"""A description: 300 characters, less our mark."""


class ResponseProperty(FileModel):
    """One value that a custom API answers; `table` is that of rows and references."""

    type: TypeName
    display_name: Text = ""
    description: LongText = ""
    table: str | None = None


class RequestParameter(ResponseProperty):
    """One value that a custom API takes."""

    required: bool = False


class CustomApiOptions(FileModel):
    """A custom API. Parameters that a flow names need not be declared here.

    `external` says that it stands for something that has happened in another system (a business event): nothing may
    keep it from succeeding. `steps` are those that others may register. `plug_in` names the type of a plug-in.
    """

    display_name: Text = ""
    description: LongText = ""
    external: bool = True
    binding: Literal["global", "entity", "entity-collection"] = "global"
    bound_table: str | None = None
    function: bool = False
    private: bool = False
    steps: Literal["none", "asynchronous", "both"] = "asynchronous"
    execute_privilege: str | None = None
    plug_in: str | None = None
    parameters: dict[UniqueName, RequestParameter] = Field(default_factory=dict)
    responses: dict[UniqueName, ResponseProperty] = Field(default_factory=dict)


class Category(FileModel):
    """A category of the catalog, with the events that are listed in it: custom APIs, and tables with their changes."""

    display_name: Text = ""
    description: LongText = ""
    custom_apis: tuple[UniqueName, ...] = ()
    tables: tuple[str, ...] = ()


class Catalog(FileModel):
    """The catalog, in which Power Automate finds business events; it has exactly two levels."""

    unique_name: UniqueName
    display_name: Text = ""
    description: LongText = ""
    categories: dict[UniqueName, Category] = Field(default_factory=dict)

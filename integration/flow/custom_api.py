"""A custom API of Dataverse, as flows name it: one that they call, or whose calls they are told of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KINDS: Final = frozenset({"text", "whole", "amount", "yes_no", "moment"})


@dataclass(frozen=True, slots=True)
class CustomApi:
    """A custom API (an action that is bound to no row).

    `name` is its unique name, with the prefix of its publisher, and `parameters` are those that a flow gives or takes,
    with the kind of each: `text`, `whole`, `amount`, `yes_no` or `moment`. `repeat_key` is a further parameter, a text,
    which gets a key that is the same for every attempt at the same state of a record: with it, whoever is called can
    tell a repetition. `has_plug_in` says that its logic, and so the custom API itself, comes from somebody's plug-in;
    otherwise `run.py dataverse` makes it. Raises `ValueError` for another kind.
    """

    name: str
    parameters: Mapping[str, str]
    repeat_key: str = ""
    has_plug_in: bool = False

    def __post_init__(self) -> None:
        if unknown := set(self.parameters.values()) - KINDS:
            raise ValueError(f"{self.name} has parameters of the kind {', '.join(sorted(unknown))}, which there is not")

    @property
    def all_parameters(self) -> dict[str, str]:
        """With the one for repetitions."""
        return {**self.parameters, **({self.repeat_key: "text"} if self.repeat_key else {})}

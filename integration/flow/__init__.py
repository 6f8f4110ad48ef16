"""What flows are declared with, and what makes them work (docs/how-to/add-a-flow.md)."""

from integration.flow.columns import (
    Column,
    Columns,
    Money,
    choice,
    choices,
    currency,
    date,
    expanded,
    lines,
    lookup,
    moment,
    money,
    number,
    text,
    wall_clock,
    whole,
    yes_no,
)
from integration.flow.flow import Effect, Flow, Needs
from integration.flow.kit import Answer, Kit
from integration.flow.results import Result, choice_result, moment_result, text_result, whole_result

__all__ = [
    "Answer",
    "Column",
    "Columns",
    "Effect",
    "Flow",
    "Kit",
    "Money",
    "Needs",
    "Result",
    "choice",
    "choice_result",
    "choices",
    "currency",
    "date",
    "expanded",
    "lines",
    "lookup",
    "moment",
    "moment_result",
    "money",
    "number",
    "text",
    "text_result",
    "wall_clock",
    "whole",
    "whole_result",
    "yes_no",
]

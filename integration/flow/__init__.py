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
from integration.flow.custom_api import CustomApi
from integration.flow.event_flow import Call, EventFlow
from integration.flow.external import External
from integration.flow.flow import Effect, Flow, Needs
from integration.flow.inbound import InboundFlow, Reading
from integration.flow.kit import Answer, Kit
from integration.flow.results import Result, amount_result, choice_result, moment_result, text_result, whole_result

__all__ = [
    "Answer",
    "Call",
    "Column",
    "Columns",
    "CustomApi",
    "Effect",
    "EventFlow",
    "External",
    "Flow",
    "InboundFlow",
    "Kit",
    "Money",
    "Needs",
    "Reading",
    "Result",
    "amount_result",
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

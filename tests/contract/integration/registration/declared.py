"""A flow that needs one of each kind: columns of several types, a key, steps, and an image."""

from integration.flow import Columns, Flow, choice_result, text, text_result
from integration.flow.discovery import AnyFlow

KEY = "a-webhook-key-of-the-test"


class Account(Columns):
    name = text("name")
    telephone = text("telephone1")


NUMBER = text_result("number", "Number", max_length=50, holds="the number", key=True)
GRADE = choice_result("grade", "Grade", {1: "good", 2: "bad"}, holds="how good it is")
FLOW = Flow(Account, table="account", entity_set="accounts", results=(NUMBER, GRADE), pre_image=("name", "number"))
FLOWS: list[AnyFlow] = [FLOW]

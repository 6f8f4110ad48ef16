"""Correlation filters of topic rules."""

from dataclasses import dataclass
from typing import Any

from sandbox.broker.message import BrokeredMessage

SYSTEM_PROPERTIES = {  # Config.json's names, lower case -> the fields of the properties section
    "contenttype": "content_type",
    "correlationid": "correlation_id",
    "label": "subject",
    "subject": "subject",
    "messageid": "message_id",
    "replyto": "reply_to",
    "replytosessionid": "reply_to_group_id",
    "sessionid": "group_id",
    "to": "to",
}


@dataclass(frozen=True, slots=True)
class CorrelationFilter:
    """Every given system property and application property must be equal."""

    system: dict[str, str]  # by the field's name in the properties section
    application: dict[str, Any]

    @classmethod
    def from_config(cls, settings: dict[str, Any]) -> "CorrelationFilter":
        """From Config.json's `CorrelationFilter` object."""
        system = {
            SYSTEM_PROPERTIES[key.lower()]: value for key, value in settings.items() if key.lower() in SYSTEM_PROPERTIES
        }
        return cls(system, dict(settings.get("Properties") or {}))

    def matches(self, message: BrokeredMessage) -> bool:
        """Whether the message passes."""
        content = message.content
        if any(content.property(name) != value for name, value in self.system.items()):
            return False
        if not self.application:
            return True
        given = content.application_properties()
        return all(key in given and _same(given[key], value) for key, value in self.application.items())


def _same(given: Any, wanted: Any) -> bool:
    """Config.json may write a number or a boolean as text."""
    return bool(given == wanted) or (not isinstance(given, bytes) and str(given).lower() == str(wanted).lower())

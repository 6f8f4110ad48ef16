"""The state that something was brought to, as a short text that reveals nothing of it."""

import hashlib

from integration.systems.messages import Message


def content_of(message: Message) -> str:
    """A hash of everything but the version."""
    text = message.model_dump_json(exclude={"source_version"}, exclude_unset=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

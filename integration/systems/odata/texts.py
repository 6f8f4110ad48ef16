"""Texts as systems of Microsoft's take them: of a certain length, and without control characters."""

import unicodedata

from integration.errors import Permanent


def cut(text: str | None, length: int) -> str:
    """The text without control characters, and no longer than that: for names and descriptions, which stay readable."""
    return _clean(text)[:length].rstrip()


def whole(text: str | None, length: int, *, field: str, service: str) -> str:
    """The text without control characters; `Permanent` (`<service>-value-too-long`) where it is longer than that.

    For what means something else once it is cut, such as an e-mail address.
    """
    clean = _clean(text)
    if len(clean) > length:
        raise Permanent(
            f"{service} takes no more than {length} characters as {field}: shorten it in Dataverse",
            reason=f"{service}-value-too-long",
            service=service,
        )
    return clean


def _clean(text: str | None) -> str:
    """Control characters, line ends among them, become spaces: XML, in which both keep texts, has none of most."""
    return "".join(" " if unicodedata.category(it) == "Cc" else it for it in text or "").strip()

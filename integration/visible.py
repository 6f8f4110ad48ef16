r"""Text of others, made so that it is only seen: on pages, on terminals, and by programs that read it.

Characters that steer what shows them become escapes as JSON has them (`\u001b`): control characters, of which a
terminal makes commands; marks that turn the direction of writing, with which a text can seem to be another one; and
characters that nobody sees. Sources: Boucher and Anderson, "Trojan Source" (CVE-2021-42574); Unicode Technical Report
36, "Unicode Security Considerations".
"""

import re
from typing import Final

_STEERING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, without tab and line feed
    "\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # directions; what is not seen
    "\ud800-\udfff"  # halves of characters, which no file and no page can hold
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"  # tags, and selectors that carry hidden text
)


def visible(text: str) -> str:
    """The text with escapes for what steers; line feeds and tabs stay, and so do the joiners of scripts and emoji.

    A document in JSON stays the same document. Line ends of Windows become line feeds.
    """
    return _STEERING.sub(_escaped, text.replace("\r\n", "\n"))


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))

"""JSON with one value on each line, as it was sent otherwise: the same order, and numbers with the digits they had."""

import re
from typing import Final

_PART: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+')


def indented(text: str) -> str:
    """The text with line breaks where it is JSON, or the beginning of JSON that was cut; any other text as it is."""
    if text.lstrip()[:1] not in {"{", "["}:
        return text
    written, depth, before = list[str](), 0, ""
    for part in _PART.findall(text):
        if part in {"}", "]"}:
            depth = max(depth - 1, 0)
            written.append("" if before in {"{", "["} else "\n" + "  " * depth)
        elif before in {"{", "[", ","}:
            written.append("\n" + "  " * depth)
        written.append(": " if part == ":" else part)
        if part in {"{", "["}:
            depth += 1
        before = part
    return "".join(written)

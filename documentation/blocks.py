"""The generated parts of pages."""

import re
from collections.abc import Mapping

_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n)(?P<content>.*?)(<!-- end -->)", re.DOTALL)


class UnknownBlockError(Exception):
    """A page asks for a generated part that does not exist."""


def names(page: str) -> list[str]:
    """The parts that a page asks for."""
    return [found["name"] for found in _BLOCK.finditer(page)]


def fill(page: str, parts: Mapping[str, str]) -> str:
    """`page` with its generated parts replaced by those in `parts`."""

    def one(found: re.Match[str]) -> str:
        part = parts.get(found["name"])
        if part is None:
            raise UnknownBlockError(
                f"There is no generated part '{found['name']}'; known are {', '.join(sorted(parts))}."
            )
        return f"{found[1]}\n{part.strip()}\n\n{found[4]}"

    return _BLOCK.sub(one, page)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; a bar within a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """`text` as inline code."""
    return f"`{text}`"

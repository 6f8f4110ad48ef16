"""Where the nodes of a syntax tree stand in the text of a file."""

from typing import Any


class Text:
    """A module's text. Syntax trees count columns in bytes of UTF-8, we count characters."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._lines = source.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: Any) -> int:
        """The offset of the node's first character."""
        return self._offset(node.lineno, node.col_offset)

    def of(self, node: Any) -> str:
        """The node's text."""
        return self._source[self.start(node) : self._offset(node.end_lineno, node.end_col_offset)]

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

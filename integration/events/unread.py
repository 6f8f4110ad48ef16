"""The one value that stands for what could not be read."""

from enum import Enum
from typing import Final


class Unread(Enum):
    """A value that is left out: of a kind that nothing here needs (QueryExpression), or wrong."""

    UNREAD = 0


UNREAD: Final = Unread.UNREAD

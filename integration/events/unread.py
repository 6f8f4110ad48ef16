"""The one value that stands for what could not be read."""

from enum import Enum
from typing import Final


class Unread(Enum):
    """A value that is left out, because it is malformed or of a kind that nothing here needs (QueryExpression)."""

    UNREAD = 0


UNREAD: Final = Unread.UNREAD

"""Duplicate detection: the message ids that were seen lately."""


class DuplicateWindow:
    """Remembers message ids for `window_ms`; 0 means that nothing is remembered."""

    def __init__(self, window_ms: int) -> None:
        self.window_ms = window_ms
        self._seen: dict[str, int] = {}  # oldest first

    def __len__(self) -> int:
        return len(self._seen)

    def is_duplicate(self, message_id: object, now: int) -> bool:
        """Whether the id was seen within the window; remembers it if not."""
        if not self.window_ms:
            return False
        self._forget(now - self.window_ms)
        key = str(message_id)
        if key in self._seen:
            return True
        self._seen[key] = now
        return False

    def restore(self, message_id: str, seen_at: int) -> None:
        """Puts back an id, oldest first, after a restart."""
        self._seen[message_id] = seen_at

    def _forget(self, before: int) -> None:
        while self._seen:
            oldest = next(iter(self._seen))
            if self._seen[oldest] >= before:
                return
            del self._seen[oldest]

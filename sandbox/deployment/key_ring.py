"""The keys of callers, as INTAKE_KEYS, OPERATIONS_KEYS and VIRTUAL_TABLE_KEYS have them, and how a key is rotated.

A caller has one key, or two while it goes from one to the next. Both are valid then, so that nothing is refused:
neither while some instances of the app know only the first one, nor while the caller still sends it.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

_MOST = 2


class KeyRingError(Exception):
    """A step that would leave a caller without a valid key, or that there is nothing to do for."""


def new_key() -> str:
    """A key of 256 bits, in hexadecimal."""
    return secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Callers and their keys, the one in use first. Each step returns another ring."""

    callers: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, text: str) -> Self:
        """What a secret has. Raises `KeyRingError` if that is not a JSON object of lists of keys."""
        try:
            content = json.loads(text)
            callers = {str(name): tuple(map(str, keys)) for name, keys in content.items() if isinstance(keys, list)}
        except (ValueError, AttributeError):
            callers = {}
        if not callers or len(callers) != len(content):
            raise KeyRingError('The secret is not of the form {"caller": ["key"]}.')
        return cls(callers)

    def text(self) -> str:
        """The ring as the secret has it."""
        return json.dumps(self.callers)

    def add(self, caller: str, make: Callable[[], str] = new_key) -> tuple[Self, str]:
        """With another caller, and its key."""
        if caller in self.callers:
            raise KeyRingError(f"{caller} has a key already; rotate gives it the next one.")
        key = make()
        return self._with(caller, (key,)), key

    def rotate(self, caller: str, make: Callable[[], str] = new_key) -> tuple[Self, str]:
        """With a second key for this caller, and that key."""
        keys = self._keys(caller)
        if len(keys) >= _MOST:
            raise KeyRingError(f"{caller} has two keys already: finish takes the first one away.")
        key = make()
        return self._with(caller, (*keys, key)), key

    def finish(self, caller: str) -> Self:
        """Without the first of this caller's two keys."""
        keys = self._keys(caller)
        if len(keys) < _MOST:
            raise KeyRingError(f"{caller} has one key: rotate gives it the next one first.")
        return self._with(caller, keys[-1:])

    def remove(self, caller: str) -> Self:
        """Without this caller."""
        self._keys(caller)
        left = {name: keys for name, keys in self.callers.items() if name != caller}
        if not left:
            raise KeyRingError(f"{caller} is the only caller, and the app does not start without one.")
        return type(self)(left)

    def _keys(self, caller: str) -> tuple[str, ...]:
        if caller not in self.callers:
            raise KeyRingError(f"There is no caller {caller}; there is {', '.join(sorted(self.callers))}.")
        return self.callers[caller]

    def _with(self, caller: str, keys: tuple[str, ...]) -> Self:
        return type(self)({**self.callers, caller: keys})

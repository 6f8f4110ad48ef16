"""A request's bytes as JSON."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from integration.errors import Fault, Rejected
from integration.events.limits import check_json
from integration.events.unread import UNREAD, Unread

_MAX_ENCODINGS = 2
_SURROGATES = ("\\ud", "\\uD")


def parse_body(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, read as `parse_json` does. Raises `Rejected` (400) for everything else."""
    document = parse_json(body)
    if not isinstance(document, dict):
        raise _rejected("The body must be a JSON object.")
    return document


def parse_json(body: bytes) -> Any:
    """The JSON in `body`; numbers with a point or exponent are `Decimal`.

    UTF-8 with or without byte order mark. A JSON string that holds JSON (a plug-in that serialises twice) is read too.
    Half of a surrogate pair (.NET cuts text anywhere) becomes U+FFFD, a number that Python cannot hold, NaN and
    Infinity become `UNREAD`. If an object has a key twice, the last one counts. Raises `Rejected` (400) for what is no
    JSON, and for what is deeper or has more parts than `integration.events.limits` allows.
    """
    try:
        text: Any = body.decode("utf-8-sig")
        document, halves = text, False
        for _ in range(_MAX_ENCODINGS):
            if isinstance(document, str):
                check_json(document)
                halves = halves or has_surrogates(document)
                document = _decoded(document)
        return without_surrogates(document) if halves else document
    except UnicodeDecodeError as error:
        raise _rejected(f"The body is not UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise _rejected(f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None


def has_surrogates(text: str) -> bool:
    """Whether JSON `text` may contain an escaped surrogate."""
    return any(escape in text for escape in _SURROGATES)


def without_surrogates(node: Any) -> Any:
    """`node` with U+FFFD in place of each unpaired surrogate, because those cannot be encoded as UTF-8."""
    if isinstance(node, str):
        return node.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(node, list):
        return [without_surrogates(item) for item in node]
    if isinstance(node, dict):
        return {without_surrogates(key): without_surrogates(value) for key, value in node.items()}
    return node


def _decoded(text: str) -> Any:
    try:
        return _STRICT.decode(text)
    except json.JSONDecodeError:
        raise
    except (ValueError, ArithmeticError):  # a number that is too long for Python to convert
        return _TOLERANT.decode(text)


def _or_unread(convert: Callable[[str], int | Decimal]) -> Callable[[str], int | Decimal | Unread]:
    def read(digits: str) -> int | Decimal | Unread:
        try:
            return convert(digits)
        except (ValueError, ArithmeticError):
            return UNREAD

    return read


def _unread(_constant: str) -> Unread:
    return UNREAD


_STRICT = json.JSONDecoder(parse_float=Decimal, parse_constant=_unread)
_TOLERANT = json.JSONDecoder(parse_float=_or_unread(Decimal), parse_int=_or_unread(int), parse_constant=_unread)


def _rejected(detail: str) -> Rejected:
    return Rejected(400, "The body cannot be read", detail, faults=(Fault("", detail),))

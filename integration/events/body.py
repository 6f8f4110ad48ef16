"""A request's bytes as JSON, within limits that keep a hostile body cheap."""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from integration.errors import Fault, Rejected

MAX_DEPTH = 64
MAX_NODES = 20_000

_MAX_ENCODINGS = 2
_MAYBE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse_body(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; numbers with a point or exponent are `Decimal`.

    UTF-8 with or without byte order mark. A JSON string that holds the object (a plug-in that serialises twice) is read
    too. Half of a surrogate pair (.NET cuts text anywhere) becomes U+FFFD. Raises `Rejected` (400) for everything else,
    and beyond 64 levels, 20,000 nodes, or where an object has a key twice.
    """
    try:
        document: Any = body.decode("utf-8-sig")
        for _ in range(_MAX_ENCODINGS):
            if isinstance(document, str):
                document = _DECODER.decode(document)
    except RecursionError:
        raise _rejected(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except UnicodeDecodeError as error:
        raise _rejected(f"The body is not UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise _rejected(f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except _RefusedError as error:
        raise _rejected(f"The body is not JSON that can be read: {error}.") from None
    except (ValueError, ArithmeticError):  # an integer or exponent beyond what Python converts
        raise _rejected("The body has a number that is out of range.") from None
    if not isinstance(document, dict):
        raise _rejected("The body must be a JSON object.")
    _check_size(document)
    mended: dict[str, Any] = mend_surrogates(body, document)
    return mended


def mend_surrogates(body: bytes, document: Any) -> Any:
    """`document`, read from `body`, with U+FFFD for each half of a surrogate pair: such text has no UTF-8."""
    return _without_lone_surrogates(document) if _MAYBE_SURROGATE.search(body) else document


class _RefusedError(ValueError):
    """What JSON's grammar allows, or Python's reader beyond it, and this reader does not."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("an object has the same key twice")
    return found


def _constant(name: str) -> NoReturn:
    raise _RefusedError(f"{name} is not a number")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=_constant)


def _check_size(document: dict[str, Any]) -> None:
    level: list[Any] = [document]
    depth = nodes = 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > MAX_DEPTH:
            raise _rejected(f"The body is nested deeper than {MAX_DEPTH} levels.")
        if nodes > MAX_NODES:
            raise _rejected(f"The body has more than {MAX_NODES} nodes.")
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        level = below


def _without_lone_surrogates(node: Any) -> Any:
    if isinstance(node, str):
        return node.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(node, list):
        return [_without_lone_surrogates(item) for item in node]
    if isinstance(node, dict):
        return {_without_lone_surrogates(key): _without_lone_surrogates(value) for key, value in node.items()}
    return node


def _rejected(detail: str) -> Rejected:
    return Rejected(400, "The body cannot be read", detail, faults=(Fault("", detail),))

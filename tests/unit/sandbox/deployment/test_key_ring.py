"""How keys of callers are rotated: at each moment the key that a caller sends is one that the app admits."""

import pytest
from pydantic import TypeAdapter

from integration.admission import CallerKeys
from integration.admission.keys import KEY_HEADER
from integration.settings.types import Callers
from sandbox.deployment.key_ring import KeyRing, KeyRingError, new_key

PRESENT, NEXT = "a" * 64, "b" * 64


def admits(ring: KeyRing, key: str) -> str | None:
    """The caller that the app would find for a key, with this ring as its setting."""
    return CallerKeys(TypeAdapter(Callers).validate_json(ring.text())).find({KEY_HEADER: key}, {})


def test_nothing_is_refused_while_a_key_is_rotated() -> None:
    """Instances read a new version of the secret at different times, and the caller changes at its own time."""
    before = KeyRing({"dataverse": (PRESENT,)})
    during, key = before.rotate("dataverse", lambda: NEXT)
    after = during.finish("dataverse")
    assert key == NEXT
    for known in (before, during):  # the caller still sends the present key
        assert admits(known, PRESENT) == "dataverse"
    for known in (during, after):  # the caller has changed, once every instance knew the next one
        assert admits(known, NEXT) == "dataverse"
    assert admits(after, PRESENT) is None


def test_a_caller_never_has_three_keys_and_never_none() -> None:
    """The setting would not be valid, and the app would not start."""
    ring = KeyRing({"dataverse": (PRESENT, NEXT)})
    with pytest.raises(KeyRingError, match="finish takes the first one away"):
        ring.rotate("dataverse")
    with pytest.raises(KeyRingError, match="one key: rotate"):
        ring.finish("dataverse").finish("dataverse")
    with pytest.raises(KeyRingError, match="the only caller"):
        ring.remove("dataverse")


def test_other_callers_are_left_alone() -> None:
    ring, _ = KeyRing({"dataverse": (PRESENT,)}).add("plugin", lambda: NEXT)
    assert ring.rotate("plugin")[0].callers["dataverse"] == (PRESENT,)
    assert ring.remove("plugin").callers == {"dataverse": (PRESENT,)}
    with pytest.raises(KeyRingError, match="has a key already"):
        ring.add("plugin")
    with pytest.raises(KeyRingError, match="no caller erp; there is dataverse, plugin"):
        ring.rotate("erp")


def test_a_new_key_is_one_that_the_app_takes() -> None:
    """256 bits of chance, and never the same twice."""
    first, second = new_key(), new_key()
    assert first != second
    assert admits(KeyRing({"dataverse": (first, second)}), second) == "dataverse"


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '"key"', '{"dataverse": "key"}'])
def test_what_is_no_ring_of_keys_is_refused(text: str) -> None:
    """A secret that somebody has stored by hand is not written over as if it were empty."""
    with pytest.raises(KeyRingError, match="not of the form"):
        KeyRing.read(text)

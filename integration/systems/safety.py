"""How an effect is made safe on its system, so that it happens once however often it is tried."""

from enum import StrEnum


class Safety(StrEnum):
    """What keeps a repeated effect from being a second one; each adapter declares it for each of its writes."""

    KEY_HONOURED = "key honoured"
    """The system answers a repeated Idempotency-Key with its first answer. Nothing is left open while it keeps keys."""

    CLIENT_SET_ID = "client-set id"
    """The id is ours and unique in the system, which refuses a second one. Nothing is left open."""

    NATURAL_KEY = "natural key looked up"
    """The system has no unique key: what carries our reference is looked for before anything is created, and after a
    lost answer. Open between the look and the creation, for as long as the system may still work on a lost request.
    """

    RESERVED = "reserved, then confirmed"
    """Something without effect is created first, found again by its natural key, and given its content under a key that
    is unique within it, or under the ETag that it had while it was empty. What is created twice has no effect, and is
    removed.
    """

    READ = "read, and kept"
    """Nothing is changed there. The answer is kept as soon as it has come. Open: an answer that is lost on its way is
    asked for again, and may be charged again.
    """

    STATE = "brought to a state"
    """What exists is read, and changed under its ETag where it differs. Doing it again changes nothing."""

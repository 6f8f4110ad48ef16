"""What a queue does besides delivering its next message: peeking, deferred messages, cancelling, counting."""

from collections import Counter
from collections.abc import Sequence

from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.errors import message_not_found
from sandbox.azure.broker.message import BrokeredMessage, State


def peek(queue: Queue, first: int, count: int, session_id: str | None) -> list[BrokeredMessage]:
    """Up to `count` messages from sequence number `first` on, in any state, without locking."""
    found: list[BrokeredMessage] = []
    for number in sorted(key for key in queue.messages if key >= first):
        if len(found) >= count:
            break
        message = queue.messages[number]
        if session_id is None or message.session_id == session_id:
            found.append(message)
    return found


def receive_deferred(
    queue: Queue, sequence_numbers: Sequence[int], session_id: str | None, *, lock: bool
) -> list[BrokeredMessage]:
    """Locks or removes these deferred messages and returns them: all, or none if one of them cannot be received."""
    found = []
    for number in sequence_numbers:
        message = queue.messages.get(number)
        if message is None or message.state is not State.DEFERRED or message.lock_token is not None:
            raise message_not_found(number)
        found.append(message)
    session = None if queue.sessions is None else queue.sessions.held(session_id or "", None)
    for message in found:
        if lock:
            queue.lock(message, session)
        else:
            queue.remove(message)
    return found


def cancel_scheduled(queue: Queue, sequence_numbers: Sequence[int]) -> None:
    """Cancels scheduled messages; if one of them is not scheduled (any more), it raises and cancels none."""
    found = []
    for number in sequence_numbers:
        message = queue.messages.get(number)
        if message is None or message.state is not State.SCHEDULED:
            raise message_not_found(number)
        found.append(message)
    for message in found:
        queue.remove(message)


def counts(queue: Queue) -> dict[str, int]:
    """How many messages are in which state."""
    states = Counter(
        "locked" if item.lock_token is not None else item.state.name.lower() for item in queue.messages.values()
    )
    dead = len(queue.dead_letters.messages) if queue.dead_letters else 0
    return {"active": 0, "scheduled": 0, "deferred": 0, "locked": 0} | states | {"deadLetter": dead}

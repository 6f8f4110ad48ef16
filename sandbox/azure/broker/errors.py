"""Refusals, with the AMQP error conditions and HTTP-like statuses that Azure uses."""


class BrokerError(Exception):
    """A request that the broker refuses. `status` is what a `$management` or `$cbs` answer carries."""

    def __init__(self, condition: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.condition = condition
        self.description = description
        self.status = status


def not_found(path: str) -> BrokerError:
    """No such queue, topic, subscription, hub, or consumer group."""
    return BrokerError(
        "amqp:not-found", f"The messaging entity 'sb://localhost/{path.strip('/')}' could not be found.", 404
    )


def disabled(path: str) -> BrokerError:
    """The entity's status does not allow sending to it, or receiving from it."""
    return BrokerError(
        "com.microsoft:entity-disabled", f"The messaging entity 'sb://localhost/{path}' is currently disabled.", 400
    )


def not_allowed(description: str) -> BrokerError:
    """The entity exists, but does not allow this."""
    return BrokerError("amqp:not-allowed", description, 400)


def message_not_found(sequence_number: int) -> BrokerError:
    """No message has this sequence number in the state that the request needs."""
    return BrokerError(
        "com.microsoft:message-not-found",
        f"The message with sequence number {sequence_number} was not found, or is locked by another receiver.",
        404,
    )


def already_exists(path: str) -> BrokerError:
    """An entity or a rule of that name exists already."""
    return BrokerError("com.microsoft:entity-already-exists", f"'{path}' exists already.", 409)


def rule_not_found(name: str) -> BrokerError:
    """The subscription has no such rule."""
    return BrokerError("amqp:not-found", f"The rule '{name}' could not be found.", 404)


def message_lock_lost() -> BrokerError:
    """No message is locked under this token (any more)."""
    return BrokerError(
        "com.microsoft:message-lock-lost",
        "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the "
        "queue.",
        410,
    )


def session_lock_lost() -> BrokerError:
    """The session is not held by the caller (any more)."""
    return BrokerError(
        "com.microsoft:session-lock-lost",
        "The session lock has expired on the MessageSession. Accept a new MessageSession.",
        410,
    )


def session_cannot_be_locked(session_id: str) -> BrokerError:
    """Somebody else holds the session."""
    return BrokerError(
        "com.microsoft:session-cannot-be-locked",
        f"The requested session '{session_id}' cannot be accepted. It may be locked by another receiver.",
        410,
    )


def out_of_range(description: str) -> BrokerError:
    """An argument outside its range, such as a partition that the hub does not have."""
    return BrokerError("com.microsoft:argument-out-of-range", description, 400)


def unknown_transaction() -> BrokerError:
    """A delivery or a settlement in a transaction: there are none, as their coordinator is not there."""
    return BrokerError(
        "amqp:transaction:unknown-id", "The transaction is unknown: transactions are not simulated.", 404
    )


def server_busy() -> BrokerError:
    """Azure's answer when it throttles; tests ask for it."""
    return BrokerError("com.microsoft:server-busy", "The server was unable to process the request; please retry.", 503)

"""What can go wrong on an AMQP connection, as exceptions."""


class ProtocolError(Exception):
    """The peer sent bytes that are not AMQP 1.0, or frames that make no sense where they arrived.

    `condition` is the AMQP error condition to close the connection with.
    """

    def __init__(self, description: str, condition: str = "amqp:decode-error") -> None:
        super().__init__(description)
        self.description = description
        self.condition = condition


class SessionError(Exception):
    """The peer broke the rules of a session: it is ended with `condition`, and the connection goes on."""

    def __init__(self, description: str, condition: str) -> None:
        super().__init__(description)
        self.description = description
        self.condition = condition


class EncodeError(ValueError):
    """A Python value that has no AMQP encoding was given to the encoder: a mistake of the caller, never of the peer."""

"""The calls by which a connection reports what happens on it."""

from typing import Any

from sandbox.azure.amqp.link import Delivery, Link
from sandbox.azure.amqp.performatives import DeliveryState, Error, SaslInit


class Handler:
    """What happens on a connection; override what matters."""

    def on_sasl(self, init: SaslInit) -> bool:  # noqa: ARG002 -- for those who override it
        """Whether the peer may go on with what it has said of itself, by one of the mechanisms that were offered."""
        return True

    def on_open(self) -> None:
        """The peer has opened its side."""

    def on_attach(self, link: Link) -> None:
        """The peer asks for a link: answer, now or later, with `link.accept` or `link.refuse`."""
        link.refuse("amqp:not-allowed", "Links are attached by the other side only.")

    def on_attached(self, link: Link) -> None:
        """The peer has accepted the link that we asked for (a refusal comes as `on_detach`)."""

    def on_flow(self, link: Link) -> None:
        """Credit has changed. On a sending link with `drain`, send what there is, then call `link.drained`."""

    def on_transfer(self, link: Link, delivery: Delivery) -> None:
        """A whole message has come."""

    def on_outcome(
        self, link: Link, delivery_id: int, context: Any, state: DeliveryState | None, settled: bool
    ) -> None:
        """The receiver reports the outcome of a message of ours. If not `settled`, it waits for `link.settle`."""

    def on_settled(self, link: Link, delivery_id: int, state: DeliveryState | None) -> None:
        """The sender has settled a delivery; `state` is its answer to the outcome that we reported."""

    def on_detach(self, link: Link, error: Error | None) -> None:
        """The link has ended: detached by the peer, or with its session or connection (then `error` is None)."""

    def on_close(self, error: Error | None) -> None:
        """The connection is closed by the peer."""

"""Works in the ERP stand-in as people there do."""

from typing import Any

from sandbox.client.stand_in import StandIn


class Erp(StandIn):
    """The ERP of the REST contract: its controls, and what people do in it. One thread at a time."""

    def ship(self, order_id: str) -> dict[str, Any]:
        """Ship an order, named by the id of its opportunity; what the ERP then reports of it."""
        return self.set_order(order_id, "shipped")

    def set_order(self, order_id: str, status: str) -> dict[str, Any]:
        """Bring an order to `shipped`, `invoiced`, `on-hold` or `confirmed`."""
        changed: dict[str, Any] = self._control("POST", f"orders/{order_id}/{status}").json()
        return changed

    def enter_customer(self, **columns: Any) -> str:
        """People enter a customer that Dataverse does not know, with the fields of the ERP; its number."""
        return str(self._control("POST", "customers", json=columns).json()["customerNumber"])

    def set_customer(self, customer_id: str, **changes: Any) -> dict[str, Any]:
        """Change how a customer stands: `onHold`, `balance`."""
        changed: dict[str, Any] = self._control("POST", f"customers/{customer_id}", json=changes).json()
        return changed

    def set_events(self, *, of_writes: bool = False, held: bool = False, copies: int = 1) -> None:
        """How it sends events: of the app's own writes too, held until `release_events`, each more than once."""
        self._control("POST", "events", json={"ofWrites": of_writes, "held": held, "copies": copies})

    def send_events_by(self, endpoint: str) -> None:
        """Finance & Operations: where business events go from now on (`https`, `service-bus` or `event-grid`)."""
        self._control("POST", "endpoint", json={"endpoint": endpoint})

    def release_events(self, *, newest_first: bool = False) -> int:
        """Send the events that were held; how many."""
        sent: int = self._control("POST", "events/release", json={"newestFirst": newest_first}).json()["sent"]
        return sent

"""Everything that can be seen of a running sandbox from outside."""

from functools import cached_property

from sandbox.client.app import App
from sandbox.client.archive import Archive
from sandbox.client.broker import Broker
from sandbox.client.collector import Collector
from sandbox.client.dataverse import Dataverse
from sandbox.client.erp import Erp
from sandbox.client.stand_in import StandIn
from sandbox.running.endpoints import Endpoints


class Client:
    """The app, the Dataverse stand-in as a person sees it, the other stand-ins, broker, collector and archive.

    Each connects on first use. For one thread at a time.
    """

    def __init__(self, reached: Endpoints) -> None:
        self._reached = reached
        self.app = App(reached.functions, reached.webhook_key, reached.plugin_key, reached.operations_key)
        self.app.erp_key = reached.erp_events_key
        self.erp = Erp(reached.erp)
        self.credit = StandIn(reached.credit)
        self.collector = Collector(reached.collector)
        self.broker = Broker(reached.servicebus, reached.broker)
        self.sinks = {name: StandIn(url) for name, url in reached.sinks.items()}
        self.others = {name: StandIn(url.removesuffix(f"/{name}/api")) for name, url in reached.others.items()}

    @cached_property
    def dataverse(self) -> Dataverse:
        """A person who is signed in."""
        return Dataverse(self._reached.dataverse, self._reached.dataverse_person)

    @property
    def stand_ins(self) -> dict[str, StandIn]:
        """Every stand-in that takes faults in the same way, by its name; other systems share one."""
        usual = {"erp": self.erp, "credit": self.credit, "dataverse": self.dataverse}
        return {**usual, **self.others, **self.sinks}

    @cached_property
    def archive(self) -> Archive:
        """What the archive sink has written."""
        return Archive(self._reached.storage)

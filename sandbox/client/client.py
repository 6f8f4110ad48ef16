"""All that a running sandbox shows to the outside."""

from sandbox.client.app import App
from sandbox.client.archive import Archive
from sandbox.client.broker import Broker
from sandbox.client.dataverse import Dataverse
from sandbox.client.stand_in import StandIn
from sandbox.running.dataverse_client import Environment
from sandbox.running.endpoints import Endpoints


class Client:
    """The app, the Dataverse stand-in as a person sees it, ERP, credit scoring, broker and archive."""

    def __init__(self, reached: Endpoints, broker_controls: str) -> None:
        environment = Environment.of(reached.dataverse, reached.dataverse_client.ca_file)
        self.app = App(reached.functions, reached.webhook_key, reached.operations_key)
        self.dataverse = Dataverse(reached.dataverse, environment.person)
        self.erp = StandIn(reached.erp)
        self.credit = StandIn(reached.credit)
        self.broker = Broker(reached.servicebus, broker_controls)
        self.archive = Archive(reached.storage)

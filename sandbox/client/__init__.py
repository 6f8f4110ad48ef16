"""Uses a running sandbox from outside, as Dataverse, its users and support do; for the demo, tests and measurements."""

from sandbox.client.app import App, EventTimeoutError
from sandbox.client.broker import Broker, DeadLetter
from sandbox.client.client import Client
from sandbox.client.dataverse import Dataverse
from sandbox.client.stand_in import StandIn
from sandbox.client.waiting import eventually

__all__ = ["App", "Broker", "Client", "Dataverse", "DeadLetter", "EventTimeoutError", "StandIn", "eventually"]

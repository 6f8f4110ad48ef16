"""AMQP 1.0 in pure Python, sans IO: type codec, frames, message sections, and a connection engine for both roles.

Start at `sandbox.azure.amqp.connection` (its docstring shows a client) and `sandbox.azure.amqp.message`.
"""

from sandbox.azure.amqp.connection import Connection
from sandbox.azure.amqp.errors import EncodeError, ProtocolError
from sandbox.azure.amqp.handler import Handler
from sandbox.azure.amqp.link import Delivery, Link
from sandbox.azure.amqp.message import Properties, Sections, build
from sandbox.azure.amqp.performatives import Accepted, Error, Modified, Rejected, Released, Source, Target
from sandbox.azure.amqp.session import Session

__all__ = [
    "Accepted",
    "Connection",
    "Delivery",
    "EncodeError",
    "Error",
    "Handler",
    "Link",
    "Modified",
    "Properties",
    "ProtocolError",
    "Rejected",
    "Released",
    "Sections",
    "Session",
    "Source",
    "Target",
    "build",
]

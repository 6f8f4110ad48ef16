"""AMQP 1.0 in pure Python, sans IO: type codec, frames, message sections, and a connection engine for both roles.

Start at `sandbox.amqp.connection` (its docstring shows a client) and `sandbox.amqp.message`.
"""

from sandbox.amqp.connection import Connection, Handler
from sandbox.amqp.errors import EncodeError, ProtocolError
from sandbox.amqp.link import Delivery, Link
from sandbox.amqp.message import Properties, Sections, build
from sandbox.amqp.performatives import Accepted, Error, Modified, Rejected, Released, Source, Target
from sandbox.amqp.session import Session

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

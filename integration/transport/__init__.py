"""The one HTTP transport and its parts; see http.py."""

from integration.transport.answers import validated
from integration.transport.authorize import ApiKey, Authorizer, BearerTokens, Token
from integration.transport.exchange import NO_CONTEXT, Call, CallContext, Calls, Request, Response
from integration.transport.hosts import Host, Limits
from integration.transport.http import AnyHost, Transport
from integration.transport.identity import credential_tokens, managed_identity_tokens
from integration.transport.oauth import client_credentials, sign_in_failure
from integration.transport.relay import SCOPE as RELAY_SCOPE
from integration.transport.relay import RelaySender, RelayTokens, SharedAccessSignatures, ThroughRelay
from integration.transport.retry import RetryPolicy
from integration.transport.sender import Sender
from integration.transport.status import failure

__all__ = [
    "NO_CONTEXT",
    "RELAY_SCOPE",
    "AnyHost",
    "ApiKey",
    "Authorizer",
    "BearerTokens",
    "Call",
    "CallContext",
    "Calls",
    "Host",
    "Limits",
    "RelaySender",
    "RelayTokens",
    "Request",
    "Response",
    "RetryPolicy",
    "Sender",
    "SharedAccessSignatures",
    "ThroughRelay",
    "Token",
    "Transport",
    "client_credentials",
    "credential_tokens",
    "failure",
    "managed_identity_tokens",
    "sign_in_failure",
    "validated",
]

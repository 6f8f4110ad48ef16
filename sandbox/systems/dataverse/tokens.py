"""The token endpoint and the discovery documents that MSAL and the app ask for (Entra ID's shapes and error codes)."""

import base64
import secrets
import uuid
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from aiohttp import web

from sandbox.systems.dataverse.access_tokens import AccessTokens
from sandbox.systems.dataverse.environment import Client, Environment
from sandbox.systems.dataverse.errors import ODataError
from sandbox.systems.dataverse.store import Store

TOKEN_SECONDS = 3_599
SCHEMA = "CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, client TEXT NOT NULL, expires REAL NOT NULL);"


class Tokens:
    """Gives tokens to the environment's clients and recognises them."""

    def __init__(self, store: Store, environment: Environment, for_the_app: AccessTokens) -> None:
        self._database, self._environment = store.database, environment
        self._database.executescript(SCHEMA)
        self._lifetime = TOKEN_SECONDS
        self._for_the_app = for_the_app

    def routes(self, app: web.Application) -> None:
        """Add the endpoints."""
        app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/{tenant}/.well-known/openid-configuration", self._discovery_of_version_1)
        app.router.add_get("/common/discovery/instance", self._instance_discovery)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_post("/control/tokens", self._set_lifetime)
        app.router.add_delete("/control/tokens", self._expire)
        self._for_the_app.routes(app)

    def client(self, request: web.Request) -> Client:
        """The client whose live token a request carries; 401 otherwise."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        found = self._database.execute("SELECT * FROM tokens WHERE token = ?", (token,)).fetchone()
        if scheme.lower() == "bearer" and found is not None and found["expires"] > datetime.now(UTC).timestamp():
            return self._environment.clients[found["client"]]
        challenge = (
            f"Bearer authorization_uri={_base(request)}/{self._environment.tenant_id}/oauth2/authorize, "
            f"resource_id={_base(request)}/"
        )
        said = "HTTP Error 401 - Unauthorized: Access is denied"
        raise ODataError(401, "0x80040204", said, headers={"WWW-Authenticate": challenge})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        form |= _basic(request.headers.get("Authorization", ""))
        wrong = self._refusal(request.match_info["tenant"], form)
        if wrong is not None:
            return wrong
        client, seconds = self._environment.clients[form["client_id"]], self._lifetime
        audience = self._for_the_app.audience(form["scope"])
        if audience is not None:
            token = self._for_the_app.give(client, audience, _base(request), seconds=seconds)
        else:
            token = secrets.token_urlsafe(48)
            expires = datetime.now(UTC).timestamp() + seconds
            self._database.execute("INSERT INTO tokens VALUES (?, ?, ?)", (token, client.client_id, expires))
        return web.json_response(
            {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        )

    def _refusal(self, tenant: str, form: dict[str, str]) -> web.Response | None:
        client = self._environment.clients.get(form.get("client_id", ""))
        if tenant != self._environment.tenant_id:
            return _entra_error(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials":
            return _entra_error(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if client is None:
            said = f"Application with identifier '{form.get('client_id')}' was not found in the directory."
            return _entra_error(400, "unauthorized_client", 700016, said)
        if form.get("client_secret") != client.secret:
            return _wrong_secret(client, form)
        if not form.get("scope", "").endswith("/.default"):
            said = "The provided value for the input parameter 'scope' is not valid: append /.default to the resource."
            return _entra_error(400, "invalid_scope", 1002012, said)
        return None

    async def _discovery(self, request: web.Request) -> web.Response:
        base = f"{_base(request)}/{self._environment.tenant_id}"
        if request.match_info["tenant"] != self._environment.tenant_id:
            said = f"Tenant '{request.match_info['tenant']}' not found."
            return _entra_error(400, "invalid_tenant", 90002, said)
        return web.json_response(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token", "token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
            }
        )

    async def _discovery_of_version_1(self, request: web.Request) -> web.Response:
        if request.match_info["tenant"] != self._environment.tenant_id:
            return await self._discovery(request)
        base = f"{_base(request)}/{self._environment.tenant_id}"
        return web.json_response(
            {
                "token_endpoint": f"{base}/oauth2/token",
                "issuer": f"{base}/",
                "authorization_endpoint": f"{base}/oauth2/authorize",
                "jwks_uri": f"{base}/discovery/keys",
            }
        )

    async def _instance_discovery(self, request: web.Request) -> web.Response:
        host = request.host
        return web.json_response(
            {
                "tenant_discovery_endpoint": (
                    f"{_base(request)}/{self._environment.tenant_id}/v2.0/.well-known/openid-configuration"
                ),
                "api-version": "1.1",
                "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
            }
        )

    async def _set_lifetime(self, request: web.Request) -> web.Response:
        self._lifetime = int((await request.json())["lifetime_seconds"])
        return web.Response(status=204)

    async def _expire(self, _: web.Request) -> web.Response:
        self._database.execute("DELETE FROM tokens")
        return web.Response(status=204)


def _wrong_secret(client: Client, form: dict[str, str]) -> web.Response:
    if "client_assertion" in form:
        said = f"The certificate of the client assertion is not registered on application '{client.client_id}'."
        return _entra_error(401, "invalid_client", 700027, said)
    if "client_secret" not in form:
        said = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        return _entra_error(401, "invalid_client", 7000218, said)
    said = f"Invalid client secret provided for app '{client.client_id}'."
    return _entra_error(401, "invalid_client", 7000215, said)


def _basic(authorization: str) -> dict[str, str]:
    """Client id and secret of HTTP Basic, each form-encoded (RFC 6749, 2.3.1); empty for anything else."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)} if colon else {}


def _base(request: web.Request) -> str:
    return f"https://{request.host}"


def _entra_error(status: int, error: str, number: int, said: str) -> web.Response:
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    time = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    text = f"AADSTS{number}: {said} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"
    return web.json_response(
        {
            "error": error,
            "error_description": text,
            "error_codes": [number],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={number}",
        },
        status=status,
    )

"""The administration API: what `ServiceBusAdministrationClient` asks over HTTP, on the port of `/health`.

GET $Resources/Queues, $Resources/Topics, TOPIC/Subscriptions, .../Rules     a page of entities, with their counts
GET $Resources/EventHubs, HUB/ConsumerGroups                                  hubs, their consumer groups
GET, PUT, DELETE of HUB, HUB/ConsumerGroups/NAME                              one; made at run time, kept in the file
GET, PUT, DELETE of QUEUE, TOPIC, TOPIC/Subscriptions/NAME, .../Rules/NAME    one; PUT with If-Match changes it
GET $namespaceinfo                                                            the namespace

https://learn.microsoft.com/rest/api/servicebus/
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.entities.topic import Subscription, Topic
from sandbox.azure.broker.errors import BrokerError, not_found, rule_not_found
from sandbox.azure.broker.http import atom
from sandbox.azure.broker.http.descriptions import describe
from sandbox.azure.broker.http.hub_descriptions import HubAdministration
from sandbox.azure.broker.http.rule_descriptions import describe_rule, rule_from
from sandbox.azure.broker.http.settings import SUBSCRIPTION, check_name, options_from
from sandbox.azure.broker.rules.rule import Rule
from sandbox.azure.broker.server import Server
from sandbox.azure.shared_access import MANAGE, verified_key

_RULE = re.compile(r"(.+)/subscriptions/([^/]+)/rules/([^/]+)", re.IGNORECASE)
_RULES = re.compile(r"(.+)/subscriptions/([^/]+)/rules", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"(.+)/subscriptions/([^/]+)", re.IGNORECASE)
_SUBSCRIPTIONS = re.compile(r"(.+)/subscriptions", re.IGNORECASE)
_PAGE = 100
_API_VERSION = "2021-05"

Named = tuple[str, str, str]  # path, title, description


class Administration:
    """The routes for one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._namespace = server.namespace
        self._engine = server.namespace.engine
        self._hubs = HubAdministration(server.namespace)

    def routes(self) -> list[web.RouteDef]:
        """Routes for all paths that no other route takes, except those of the controls."""
        handlers = {"GET": self.get, "PUT": self.put, "DELETE": self.delete}
        return [
            web.route(method, "/{path:(?!control/).+}", self._answering(handler))
            for method, handler in handlers.items()
        ]

    def _answering(self, handler: Callable[[web.Request, str], Awaitable[web.Response]]) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._authorize(request)
                response = await handler(request, request.match_info["path"].strip("/"))
            except BrokerError as error:
                return _xml(atom.problem(error.status, error.description), error.status)
            except (ValueError, KeyError) as error:
                return _xml(atom.problem(400, f"SubCode=40000. {error}"), 400)
            self._engine.store.commit()
            self._server.ask_for_turn()
            return response

        return answer

    def _authorize(self, request: web.Request) -> None:
        """With configured keys, a token signed by one of them that may manage is needed."""
        token, path = request.headers.get("Authorization", ""), request.match_info["path"].strip("/")
        key = verified_key(token, self._server.known.keys, time.time(), path)
        if self._server.known.keys and (key is None or MANAGE not in key.rights):
            raise BrokerError("com.microsoft:auth-failed", "The token has an invalid signature.", 401)

    # ---- reading

    async def get(self, request: web.Request, path: str) -> web.Response:
        """One entity, a feed of entities, or the namespace. What does not exist is an empty feed, as in Azure."""
        if path.lower() == "$namespaceinfo":
            return self._namespace_info(request)
        listing = self._listing(request, path)
        if listing is not None:
            return self._feed(request, path, listing)
        found = self._one(request, path)
        return self._feed(request, path, []) if found is None else self._entry(request, found)

    def _listing(self, request: web.Request, path: str) -> list[Named] | None:
        """The entities that the path asks for, if it asks for several."""
        if found := _RULES.fullmatch(path):
            subscription = self._subscription(found[1], found[2])
            return [_named_rule(subscription, rule) for rule in subscription.rules.values()]
        entities: Iterable[Queue]
        if found := _SUBSCRIPTIONS.fullmatch(path):
            entities = self._topic(found[1]).subscriptions.values()
        elif path.lower() == "$resources/topics":
            entities = self._namespace.topics.values()
        elif path.lower() == "$resources/queues":
            entities = (queue for queue in self._namespace.queues.values() if not isinstance(queue, Subscription))
        else:
            return self._hubs.listing(path)
        return [self._named(request, entity) for entity in entities]

    def _one(self, request: web.Request, path: str) -> Named | None:
        if found := _RULE.fullmatch(path):
            subscription = self._subscription(found[1], found[2])
            rule = subscription.rules.get(found[3].lower())
            if rule is None:
                raise rule_not_found(found[3])
            return _named_rule(subscription, rule)
        if found := _SUBSCRIPTION.fullmatch(path):
            return self._named(request, self._subscription(found[1], found[2]))
        entity = self._namespace.queues.get(path.lower()) or self._namespace.topics.get(path.lower())
        return self._hubs.one(path) if entity is None else self._named(request, entity)

    def _topic(self, name: str) -> Topic:
        topic = self._namespace.topics.get(name.lower())
        if topic is None:
            raise not_found(name)
        return topic

    def _subscription(self, topic: str, name: str) -> Subscription:
        subscription = self._topic(topic).subscriptions.get(name.lower())
        if subscription is None:
            raise not_found(f"{topic}/Subscriptions/{name}")
        return subscription

    def _named(self, request: web.Request, entity: Queue) -> Named:
        title = entity.subscription_name if isinstance(entity, Subscription) else entity.name
        return entity.name, title, describe(entity, request.host)

    def _entry(self, request: web.Request, named: Named, status: int = 200) -> web.Response:
        path, title, description = named
        return _xml(atom.entry(_url(request, path), title, description, self._engine.clock.now()), status)

    def _feed(self, request: web.Request, title: str, entities: Sequence[Named]) -> web.Response:
        unknown = [name for name in request.query if name.startswith("$") and name not in {"$skip", "$top"}]
        skip, top = int(request.query.get("$skip", 0)), int(request.query.get("$top", _PAGE))
        if unknown or skip < 0 or top < 0:
            raise ValueError(f"{unknown[0] if unknown else '$skip or $top below zero'} is not simulated.")
        now = self._engine.clock.now()
        page = [atom.entry(_url(request, path), name, text, now) for path, name, text in entities[skip:][:top]]
        behind = f"&$skip={skip + top}&$top={top}" if skip + top < len(entities) else None
        url = _url(request, request.match_info["path"])
        return _xml(atom.feed(url, title, page, behind and url + behind, now))

    def _namespace_info(self, request: web.Request) -> web.Response:
        created = atom.timestamp(self._namespace.created_at)
        parts = (
            atom.element("CreatedTime", created),
            atom.element("MessagingSKU", "Standard"),
            atom.element("ModifiedTime", created),
            atom.element("Name", "sbemulatorns"),
            atom.element("NamespaceType", "Messaging"),
        )
        info = atom.element("NamespaceInfo", atom.Markup.of(parts), xmlns=atom.SERVICE_BUS, xmlns__i=atom.INSTANCE)
        return self._entry(request, ("sbemulatorns", "sbemulatorns", info))

    # ---- changing

    async def put(self, request: web.Request, path: str) -> web.Response:
        """Creates an entity or, with If-Match, changes it."""
        description = atom.description_of(await request.read())
        changes = "If-Match" in request.headers
        if found := _RULE.fullmatch(path):
            return self._put_rule(request, self._subscription(found[1], found[2]), found[3], description, changes)
        hub = self._hubs.put(path, description, changes=changes)
        if hub is not None:
            return self._entry(request, hub, 200 if changes else 201)
        known = self._namespace.queues.get(path.lower()) or self._namespace.topics.get(path.lower())
        if changes:
            if known is None:
                raise not_found(path)
            self._namespace.change_options(known, options_from(description, known.options))
            return self._entry(request, self._named(request, known))
        options, kind = options_from(description), atom.local_name(description)
        self._check_path(path, kind)
        if found := _SUBSCRIPTION.fullmatch(path):
            rule = atom.child(description, "DefaultRuleDescription")
            rules = [] if rule is None else [self._rule("$Default", rule)]
            entity: Queue = self._namespace.create_subscription(self._topic(found[1]), found[2], options, rules)
        else:
            entity = self._namespace.create(path, options, is_topic=kind == "TopicDescription")
        return self._entry(request, self._named(request, entity), 201)

    def _check_path(self, path: str, kind: str) -> None:
        """The name fits, and the description is one of what stands at such a path."""
        found = _SUBSCRIPTION.fullmatch(path)
        check_name(path if found is None else found[2], short=found is not None)
        if (found is not None) != (kind == SUBSCRIPTION):
            raise ValueError(f"A {kind} cannot be put at '{path}'.")

    def _put_rule(
        self, request: web.Request, subscription: Subscription, name: str, description: atom.Node, changes: bool
    ) -> web.Response:
        check_name(name, short=True)
        rule = self._rule(name, description)
        if changes:
            subscription.remove_rule(name)
        subscription.add_rule(rule)
        return self._entry(request, _named_rule(subscription, rule), 200 if changes else 201)

    def _rule(self, name: str, description: atom.Node) -> Rule:
        return rule_from(name, description, self._engine.clock.now())

    async def delete(self, _: web.Request, path: str) -> web.Response:
        """Deletes an entity with all that is in it and below it."""
        if found := _RULE.fullmatch(path):
            self._subscription(found[1], found[2]).remove_rule(found[3])
        elif not self._hubs.delete(path):
            self._namespace.delete(path)
        return web.Response()


def _named_rule(subscription: Subscription, rule: Rule) -> Named:
    return f"{subscription.name}/Rules/{rule.name}", rule.name, describe_rule(rule)


def _url(request: web.Request, path: str) -> str:
    return f"{request.scheme}://{request.host}/{quote(path)}?api-version={_API_VERSION}"


def _xml(document: str, status: int = 200) -> web.Response:
    return web.Response(text=document, status=status, content_type="application/xml")

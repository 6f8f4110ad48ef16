"""What callers ask for: to subscribe, to see their subscriptions, to switch one on again, to end one."""

import dataclasses
from collections.abc import Collection
from typing import Annotated, Final, Literal
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from yarl import URL

from integration import signatures
from integration.clock import Clock
from integration.errors import Fault, Rejected
from integration.events.body import parse_body
from integration.events.fields import not_a, validated
from integration.telemetry import get_logger
from integration.transport import AnyHost
from integration.webhooks.store import Subscriptions, enabled
from integration.webhooks.subscription import Subscription

MOST: Final = 100
"""Subscriptions of one caller."""
_SHAPE: Final = "subscription"
_log = get_logger(__name__)


def _unique(raw: object) -> object:
    return list(dict.fromkeys(raw)) if isinstance(raw, list) and all(isinstance(it, str) for it in raw) else raw


_Names = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=128)], ...], BeforeValidator(_unique), Field(max_length=50)
]


class SubscriptionAsked(BaseModel):
    """What a caller wants to be told of. What is left out is not restricted."""

    model_config = ConfigDict(alias_generator=to_camel)

    url: Annotated[str, Field(min_length=1, max_length=2_000)] = Field(
        description="Where notifications are posted to: https, and a public address."
    )
    tables: _Names = Field(default=(), description="Only events of these tables, or kinds of records (erp.order).")
    flows: _Names = Field(default=(), description="Only events that these flows of the app handle.")
    outcomes: Annotated[tuple[Literal["done", "failed"], ...], BeforeValidator(_unique), Field(max_length=2)] = Field(
        default=(), description="Only events that ended so: done, or failed (a person is needed)."
    )


class SubscriptionShown(BaseModel):
    """A subscription as its owner sees it; the query of its address and its secrets are never shown again."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str = Field(description="The id of the subscription.")
    receiver: str = Field(description="Where notifications are posted to, without the query.")
    tables: tuple[str, ...] = Field(description="The tables; all of them where there is none.")
    flows: tuple[str, ...] = Field(description="The flows; all of them where there is none.")
    outcomes: tuple[str, ...] = Field(description="The outcomes; all of them where there is none.")
    created_at: AwareDatetime = Field(description="When it was made.")
    enabled: bool = Field(description="Whether notifications are sent; a day of failures switches it off.")
    failing_since: AwareDatetime | None = Field(description="The first failure since the last success.")
    failed_with: str | None = Field(description="What the last failed delivery was answered with.")
    secret: str | None = Field(
        default=None, description="What deliveries are signed with (Standard Webhooks); shown once, when it is made."
    )


class SubscriptionList(BaseModel):
    """The subscriptions of a caller."""

    subscriptions: list[SubscriptionShown]


class RenewalAsked(BaseModel):
    """That a subscription is to be switched on again."""

    model_config = ConfigDict(alias_generator=to_camel)

    new_secret: bool = Field(
        default=False,
        description="Make a new secret, too. Deliveries are signed with both until the next renewal.",
    )


class Subscribing:
    """Carries out what callers ask for; raises `Rejected` (400, 404, 409) and `Outage` where the tables are away.

    `receivers` says which addresses may be named, and `flows` are the flows of the app.
    """

    def __init__(self, store: Subscriptions, receivers: AnyHost, flows: Collection[str], clock: Clock) -> None:
        self._store = store
        self._receivers = receivers
        self._flows = flows
        self._clock = clock

    async def subscribe(self, owner: str, body: bytes, allowed_tables: Collection[str] | None) -> SubscriptionShown:
        """Make a subscription of `owner`, whose rights end at `allowed_tables` (None: all)."""
        asked = validated(SubscriptionAsked, parse_body(body), _SHAPE)
        if faults := [*self._faults(asked, allowed_tables)]:
            raise not_a(_SHAPE, faults)
        if len(await self._store.of(owner)) >= MOST:
            raise Rejected(
                409, "Too many subscriptions", f"The caller {owner} has {MOST} subscriptions; end one of them first."
            )
        secret = signatures.new_secret()
        made = Subscription(
            id=uuid4().hex,
            owner=owner,
            url=asked.url,
            secrets=(secret,),
            tables=asked.tables or tuple(sorted(allowed_tables or ())),
            flows=asked.flows,
            outcomes=asked.outcomes,
            created_at=self._clock.now(),
        )
        await self._store.add(made)
        _log.info("webhook-subscribed", caller=owner, subscription=made.id)
        return shown(made).model_copy(update={"secret": secret})

    async def of(self, owner: str) -> SubscriptionList:
        """The subscriptions of a caller."""
        return SubscriptionList(subscriptions=[shown(it) for it in await self._store.of(owner)])

    async def one(self, owner: str, subscription_id: str) -> SubscriptionShown:
        """One of them."""
        found = await self._store.get(owner, _checked(subscription_id))
        if found is None:
            raise _unknown(subscription_id)
        return shown(found)

    async def renew(self, owner: str, subscription_id: str, body: bytes) -> SubscriptionShown:
        """Switch it on again, with a new secret if that is asked for."""
        asked = validated(RenewalAsked, parse_body(body) if body else {}, "renewal")
        secret = signatures.new_secret() if asked.new_secret else None

        def change(it: Subscription) -> Subscription:
            on = enabled(it)
            return dataclasses.replace(on, secrets=(secret, *on.secrets[:1]) if secret else on.secrets[:1])

        found = await self._store.change(owner, _checked(subscription_id), change)
        if found is None:
            raise _unknown(subscription_id)
        _log.info("webhook-renewed", caller=owner, subscription=found.id)
        return shown(found).model_copy(update={"secret": secret})

    async def end(self, owner: str, subscription_id: str) -> None:
        """End it; nothing happens where there is none, so that a repeated request is no failure."""
        if await self._store.remove(owner, _checked(subscription_id)):
            _log.info("webhook-unsubscribed", caller=owner, subscription=subscription_id)

    def _faults(self, asked: SubscriptionAsked, allowed_tables: Collection[str] | None) -> list[Fault]:
        faults = [] if _may_be_called(asked.url, self._receivers) else [Fault("/url", _URL_RULE)]
        unknown = sorted(set(asked.flows) - set(self._flows))
        if unknown:
            known = ", ".join(sorted(self._flows)) or "none"
            faults.append(Fault("/flows", f"has names that are no flow's; the flows are: {known}"))
        if allowed_tables is not None and (refused := sorted(set(asked.tables) - set(allowed_tables))):
            faults.append(Fault("/tables", f"has tables that are none of this caller: {', '.join(refused)}"))
        return faults


def shown(it: Subscription) -> SubscriptionShown:
    """A subscription without what is secret in it."""
    return SubscriptionShown(
        id=it.id,
        receiver=str(URL(it.url, encoded=True).with_query(None).with_fragment(None)),
        tables=it.tables,
        flows=it.flows,
        outcomes=it.outcomes,
        created_at=it.created_at,
        enabled=it.disabled_at is None,
        failing_since=it.failing_since,
        failed_with=it.failed_with,
    )


_URL_RULE: Final = "must be an https address on the internet, without credentials and without a fragment"


def _may_be_called(text: str, receivers: AnyHost) -> bool:
    try:
        url = URL(text, encoded=True)
        plain = bool(url.raw_host) and url.port is not None and "@" not in url.raw_authority and not url.raw_fragment
    except ValueError:
        return False
    return plain and url.scheme in {"https", "http"} and text.isascii() and text.isprintable() and receivers.allows(url)


def _checked(subscription_id: str) -> str:
    """The id as it is stored: 32 hexadecimal digits; anything else is no subscription's."""
    try:
        return UUID(hex=subscription_id).hex
    except ValueError:
        raise _unknown(subscription_id) from None


def _unknown(subscription_id: str) -> Rejected:
    return Rejected(404, "Unknown subscription", f"The caller has no subscription {subscription_id[:64]}.")

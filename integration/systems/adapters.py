"""From a system of the settings to its adapter: the one place that knows all of them.

Adapters that only some apps have are imported where a system of their kind is configured, so that no app starts later
because of the others.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from integration.clock import Clock
from integration.errors import IntegrationError
from integration.protection import SharedState
from integration.settings import systems as settings
from integration.systems.references import References
from integration.systems.rest import CreditClient, ErpClient, Resources, rest_failure
from integration.transport import Authorizer, Response, Sender

if TYPE_CHECKING:
    from integration.systems.business_central import BusinessCentral
    from integration.systems.creditsafe import Creditsafe
    from integration.systems.finance_operations import FinanceOperations

Adapter: TypeAlias = "ErpClient | CreditClient | Resources | BusinessCentral | FinanceOperations | Creditsafe"


def failure_of(system: settings.System) -> Callable[[Response], IntegrationError]:
    """What an answer that is not 2xx means for this kind of system."""
    if isinstance(system, settings.BusinessCentral):
        from integration.systems.business_central import business_central_failure  # noqa: PLC0415 -- see above

        return business_central_failure
    if isinstance(system, settings.FinanceOperations):
        from integration.systems.finance_operations import finance_operations_failure  # noqa: PLC0415 -- see above

        return finance_operations_failure
    if isinstance(system, settings.Creditsafe):
        from integration.systems.creditsafe import creditsafe_failure  # noqa: PLC0415 -- see above

        return creditsafe_failure
    return rest_failure


def adapter_of(
    name: str,
    system: settings.System,
    sender: Sender,
    authorizer: Authorizer,
    *,
    references: SharedState,
    clock: Clock,
) -> Adapter:
    """The adapter of the system `name`, which sends through `sender` and remembers in `references`."""
    if isinstance(system, settings.BusinessCentral):
        from integration.systems import business_central  # noqa: PLC0415 -- see above

        options = business_central.Options(
            local_currency=system.local_currency,
            line_number=system.line_number,
            line_type=system.line_type,
            number_prefix=system.number_prefix,
            unknown_seconds=system.unknown_seconds,
            match_by=system.match_by,
        )
        return business_central.BusinessCentral.over(
            sender,
            authorizer,
            name,
            base_url=str(system.url),
            company=system.company,
            references=References(references, name),
            options=options,
            clock=clock,
        )
    if isinstance(system, settings.FinanceOperations):
        from integration.systems import finance_operations  # noqa: PLC0415 -- see above

        chosen = finance_operations.Options(
            customer_group=system.customer_group,
            local_currency=system.local_currency,
            item_number=system.item_number,
            site=system.site,
            warehouse=system.warehouse,
            order_numbers=system.order_numbers,
            number_prefix=system.number_prefix,
            unknown_seconds=system.unknown_seconds,
            match_by=system.match_by,
        )
        return finance_operations.FinanceOperations.over(
            sender,
            authorizer,
            name,
            base_url=str(system.url),
            company=system.company,
            references=References(references, name),
            options=chosen,
            clock=clock,
        )
    if isinstance(system, settings.Creditsafe):
        from integration.systems.creditsafe import Creditsafe  # noqa: PLC0415 -- see above

        return Creditsafe.over(
            sender,
            authorizer,
            name,
            base_url=str(system.url),
            store=references,
            countries=system.countries,
            days=system.report_days,
            clock=clock,
        )
    if isinstance(system, settings.Rest):
        return Resources(sender, name, authorizer, str(system.url))
    if isinstance(system, settings.RestScoring):
        return CreditClient(sender, authorizer, str(system.url), service=name)
    match_by = system.match_by if isinstance(system, settings.RestErp) else ()
    return ErpClient(sender, authorizer, str(system.url), service=name, match_by=match_by)

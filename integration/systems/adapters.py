"""From a system of the settings to its adapter: the one place that knows all of them."""

from collections.abc import Callable

from integration import system_settings as settings
from integration.clock import Clock
from integration.errors import IntegrationError
from integration.protection import SharedState
from integration.systems import business_central, creditsafe, finance_operations
from integration.systems.references import References
from integration.systems.rest import CreditClient, ErpClient, Resources, rest_failure
from integration.transport import Authorizer, Response, Sender

Adapter = (
    ErpClient
    | CreditClient
    | Resources
    | business_central.BusinessCentral
    | finance_operations.FinanceOperations
    | creditsafe.Creditsafe
)


def failure_of(system: settings.System) -> Callable[[Response], IntegrationError]:
    """What an answer that is not 2xx means for this kind of system."""
    if isinstance(system, settings.BusinessCentral):
        return business_central.business_central_failure
    if isinstance(system, settings.FinanceOperations):
        return finance_operations.finance_operations_failure
    if isinstance(system, settings.Creditsafe):
        return creditsafe.creditsafe_failure
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
        return creditsafe.Creditsafe.over(
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

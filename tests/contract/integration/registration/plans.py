"""What tests do with plans."""

from integration.registration.environment import Environment, Read
from integration.registration.plan import Plan


async def applied(environment: Environment, **given: bool) -> Read:
    """The state after all changes that are planned."""
    await environment.apply(await environment.read(), lambda _change: None, **given)
    return await environment.read()


def changes(plan: Plan) -> dict[str, str]:
    assert plan.problems == (), plan.problems
    return {it.address: it.action for it in plan.changes}

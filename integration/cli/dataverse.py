"""Register in Dataverse what flows and checks need: columns, keys, tracking, endpoints, steps, images, in a solution.

    run.py dataverse plan --environment production.toml
    run.py dataverse apply --environment production.toml
    run.py dataverse drift --environment production.toml --json

What is needed follows from integration/flows, integration/checks and dataverse.toml; an environment's file has its
addresses. plan, drift and show change nothing. The exit status is 0 when everything is as declared or was done, 1 for
an error, and 2 when there are differences. docs/how-to/connect-dataverse.md has the rest.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from integration import checks as app_checks
from integration import flows as app_flows
from integration.clock import SystemClock
from integration.errors import ConfigurationError, IntegrationError
from integration.flow.discovery import all_in
from integration.registration import showing
from integration.registration.declaration import SignIn, Values, read_declaration, read_values, secret
from integration.registration.endpoints import KEY_HEADER
from integration.registration.environment import Environment, Read, adoptable, deletable
from integration.registration.items import Found
from integration.registration.plan import Change, SavedPlan, save
from integration.registration.served_metadata import ServedMetadata, ServedType
from integration.registration.sign_in import WAYS, authorizer
from integration.registration.web_api import WebApi
from integration.synchronous import checks_in
from integration.telemetry import quieten_libraries
from integration.transport import Host, Limits, Sender, Transport
from integration.virtual_tables import sets as app_sets
from integration.virtual_tables.discovery import sets_in

_DECLARATION = Path("dataverse.toml")
_LIMITS = Limits(connect=10, read=120, total=150)
"""Dataverse takes many seconds for a new column, and longer while another customisation is under way."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", help="what to do")
    plan = actions.add_parser("plan", help="show what apply would change, and what follows from it")
    plan.add_argument("--out", type=Path, metavar="FILE", help="save the plan for apply")
    apply = actions.add_parser("apply", help="make the environment what is declared")
    apply.add_argument("plan", nargs="?", type=Path, metavar="PLAN", help="a file of plan --out, and nothing else")
    apply.add_argument("--allow-delete", action="store_true", help="also delete what is no longer declared")
    apply.add_argument("--adopt", action="store_true", help="first import all that is there and declared")
    apply.add_argument("--rotate", action="store_true", help="also send the keys of endpoints and data source again")
    drift = actions.add_parser("drift", help="show what is not as declared, as for a job every night")
    take = actions.add_parser("import", help="manage from now on what somebody has made by hand")
    take.add_argument("addresses", nargs="*", metavar="ADDRESS", help="such as step.account.Update; none: all of them")
    show = actions.add_parser("show", help="show what this app manages in the environment")
    destroy = actions.add_parser("destroy", help="delete what this app manages: images, steps and the endpoint")
    destroy.add_argument(
        "--with-columns",
        action="store_true",
        help="also columns with their values, keys, custom APIs, catalog, role, solution",
    )
    for each in (plan, apply, drift, take, show, destroy):
        each.add_argument("--environment", type=Path, metavar="FILE", help="the file with the environment's values")
        each.add_argument(
            "--sandbox",
            type=Path,
            nargs="?",
            const=Path(".sandbox"),
            metavar="DIR",
            help="work on the running sandbox whose state is in this folder (.sandbox)",
        )
        each.add_argument("--declaration", type=Path, default=_DECLARATION, metavar="FILE", help="(%(default)s)")
        each.add_argument("--sign-in", choices=WAYS, default="az", help="how you sign in (%(default)s)")
    for each in (plan, drift, show):
        each.add_argument("--json", action="store_true", help="write JSON to the output, for programs")
    for each in (apply, take, destroy):
        each.add_argument("--auto-approve", action="store_true", help="do not ask; needed without a terminal")


def main(options: argparse.Namespace) -> int:
    """Exit code: 0 as declared or done, 1 for an error, 2 for differences, 130 if it was interrupted."""
    quieten_libraries()
    try:
        return asyncio.run(_run(options))
    except BrokenPipeError:  # nobody reads the output any more: run.py ends quietly
        raise
    except (IntegrationError, OSError) as error:
        print(f"{options.action} failed: {error}", file=sys.stderr)
        if getattr(error, "reason", "").startswith("dataverse-sign-in"):
            print(f"Sign in first (az login), or in another way: --sign-in {' or '.join(WAYS)}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. What was done stays done; the next apply goes on from there.", file=sys.stderr)
        return 130


async def _run(options: argparse.Namespace) -> int:
    async with _environment(options) as environment:
        return await _ACTIONS[options.action](environment, options)


async def _plan(environment: Environment, options: argparse.Namespace) -> int:
    now = await environment.read()
    _show(now, options)
    if options.out is not None:
        save(now.plan, options.out)
        print(f"Saved. To carry out exactly this: run.py dataverse apply {options.out}", file=sys.stderr)
    return now.plan.exit_code


async def _drift(environment: Environment, options: argparse.Namespace) -> int:
    now = await environment.read()
    _show(now, options)
    return now.plan.exit_code


async def _apply(environment: Environment, options: argparse.Namespace) -> int:
    now = await environment.read()
    if options.plan is not None:
        SavedPlan.read(options.plan).check(now.plan)
    if options.adopt and (found := adoptable(now)):
        _list(found, "To import:")
        _approve(options)
        await environment.adopt(now, [it.address for it in found])
        now = await environment.read()
    if now.plan.changes or now.plan.problems:
        _print(showing.shown(now.plan))
        if now.plan.problems:
            return 1
        if options.plan is None:
            _approve(options)
        left = await environment.apply(now, _done, allow_delete=options.allow_delete)
        now = await environment.read()
        if unlike := [it for it in now.plan.changes if it.address not in {each.address for each in left}]:
            print("Written, but it reads back otherwise:", file=sys.stderr)
            _print(line for it in unlike for line in showing.one(it))
            return 1
        if left:
            print(f"{len(left)} not deleted: that needs --allow-delete.", file=sys.stderr)
    if options.rotate:
        await environment.rotate(now)
        print("The keys were sent again.")
    print(showing.summary(now.plan))
    return now.plan.exit_code


async def _import(environment: Environment, options: argparse.Namespace) -> int:
    now = await environment.read()
    addresses = list(options.addresses) or [it.address for it in adoptable(now)]
    if not addresses:
        print("There is nothing to import.")
        return 0
    _print(f"  {it}" for it in addresses)
    _approve(options)
    await environment.adopt(now, addresses)
    now = await environment.read()
    print("Imported. " + showing.summary(now.plan))
    return now.plan.exit_code


async def _show_all(environment: Environment, options: argparse.Namespace) -> int:
    now = await environment.read()
    ours = [it for it in now.state.found.values() if it.owned]
    if options.json:
        found = [{"address": it.address, "id": it.id, "description": it.description, **it.fields} for it in ours]
        print(json.dumps({"format_version": "1.0", "managed": found}, indent=2, ensure_ascii=False))
        return 0
    for it in ours:
        print(f"{it.address} ({it.id})" + (f": {it.description}" if it.description else ""))
    return 0


async def _destroy(environment: Environment, options: argparse.Namespace) -> int:
    now = await environment.read()
    found = deletable(now.state, with_columns=options.with_columns)
    if not found:
        print("There is nothing to delete.")
        return 0
    _list(found, "To delete:")
    _approve(options)
    await environment.destroy(now, _done, with_columns=options.with_columns)
    print(f"{len(found)} deleted.")
    return 0


def _show(now: Read, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(now.plan.document(), indent=2, ensure_ascii=False))
    else:
        _print(showing.shown(now.plan))


def _list(found: list[Found], title: str) -> None:
    print(title)
    _print(f"  {it.address}" for it in found)


def _print(lines: Any) -> None:
    for line in lines:
        print(line)


def _done(change: Change) -> None:
    print(f"{change.address}: {change.action}d", flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _approve(options: argparse.Namespace) -> None:
    """Ask; without a terminal nobody can answer. Raises `ConfigurationError` without a yes."""
    if options.auto_approve:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("Nobody can be asked here: add --auto-approve. Nothing was changed.")
    if input("Do this? Only 'yes' is taken: ").strip() != "yes":
        raise ConfigurationError("It was not approved. Nothing was changed.")


@asynccontextmanager
async def _environment(options: argparse.Namespace) -> AsyncIterator[Environment]:
    """The environment that the options name; the connections are closed at the end."""
    way, values = str(options.sign_in), None
    find: Callable[[str], str] = secret
    if options.sandbox is not None:
        way, values, find = _sandbox(options.sandbox)
    elif options.environment is not None:
        values = read_values(options.environment)
    if values is None:
        raise ConfigurationError("No environment is named. Give --environment FILE, or --sandbox.")
    declaration, given = read_declaration(options.declaration), values.sign_in
    clock = SystemClock()
    addresses = [str(values.url), str(given.authority)]
    addresses += [str(values.virtual_tables_url)] if values.virtual_tables_url else []
    hosts = [Host(it, ca_file=given.ca_file, limits=_LIMITS) for it in addresses]
    transport = Transport(hosts, clock=clock)
    try:
        tokens = authorizer(way, str(values.url), given, transport, clock, say=_say, find_secret=find)
        api = WebApi(transport, tokens, str(values.url))
        yield Environment(
            api,
            list(all_in(app_flows).values()),
            declaration,
            values,
            today=lambda: clock.now().date(),
            checks=checks_in(app_checks),
            find_secret=find,
            sets=list(sets_in(app_sets).values()),
            served=_served(transport, values, find),
        )
    finally:
        await transport.aclose()


def _served(
    sender: Sender, values: Values, find: Callable[[str], str]
) -> Callable[[], Awaitable[dict[str, ServedType]]] | None:
    """What reads the app's `$metadata`; None where the values name no virtual tables."""
    key = values.virtual_tables_key
    if values.virtual_tables_url is None:
        return None
    if key is None:
        raise ConfigurationError("virtual-tables-url needs virtual-tables-key: a key of VIRTUAL_TABLE_KEYS.")
    return ServedMetadata(sender, str(values.virtual_tables_url), KEY_HEADER, lambda: find(key)).read


def _sandbox(folder: Path) -> tuple[str, Values, Callable[[str], str]]:
    """The values of a running sandbox, and where its secrets are."""
    try:
        found: dict[str, Any] = json.loads((folder / "endpoints.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"No sandbox runs in {folder}. Start it with run.py up.") from error
    person = found["dataverse_person"]
    values = Values(
        url=found["dataverse"],
        application=found["dataverse_client"]["client_id"],
        app_sees_registration=True,
        checks=bool(found["checks"]),
        stand_in_for_plug_ins=True,
        webhook_url=f"{found['functions']}/api/dataverse/webhook",
        webhook_key="sandbox:webhook_key",
        virtual_tables_url=f"{found['functions']}/api/odata",
        virtual_tables_key="sandbox:virtual_tables_key",
        sign_in=SignIn(
            tenant=person["tenant"],
            client_id=person["client_id"],
            client_secret="sandbox:dataverse_person",  # noqa: S106 -- where it is, not what it is
            authority=person["authority"],
            instance_discovery=False,
            ca_file=person["ca_file"],
        ),
    )
    secrets = {f"sandbox:{name}": found[name] for name in ("webhook_key", "virtual_tables_key")}
    secrets["sandbox:dataverse_person"] = person["secret"]
    return "client-secret", values, secrets.__getitem__


_ACTIONS: dict[str, Callable[[Environment, argparse.Namespace], Awaitable[int]]] = {
    "plan": _plan,
    "apply": _apply,
    "drift": _drift,
    "import": _import,
    "show": _show_all,
    "destroy": _destroy,
}


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(
        prog="run.py dataverse", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments(_parser)
    sys.exit(main(_parser.parse_args()))

"""Make a system fail for the app, for a number of requests or until run.py heal. Without a system, list what fails now.

    run.py fail erp 503 --times 3
    run.py fail credit 429 --retry-after 5
    run.py fail erp 422 --match "PUT /api/orders"
    run.py fail dataverse --delay 2000
    run.py fail erp --drop --after
    run.py fail erp 404 --gateway
    run.py fail broker --drop

The broker knows no statuses: it refuses connections (--drop) or is slow (--delay), until run.py heal.
"""

import argparse
from http import HTTPStatus
from typing import Any

from sandbox.client import Client
from sandbox.client.stand_in import StandIn
from sandbox.commands.here import CommandError, Suggested, add_state_option, client_of
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import counted

KNOWN = ("erp", "credit", "dataverse", "broker")
_MATCHES = {"erp": r"* ^/(api|v2\.0|data)/", "credit": "* ^/(api|v1)/", "dataverse": "* ^/api/data/"}

_REDIRECTS = (302, 307)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("system", nargs="?", help=f"{', '.join(KNOWN)}, or any other system of SYSTEMS or of a flow")
    parser.add_argument("status", nargs="?", type=_status, help="the HTTP status to answer with, 400 to 599")
    parser.add_argument("--times", type=int, metavar="N", help="only for the next N requests")
    parser.add_argument(
        "--delay", type=int, default=0, metavar="MS", help="wait this many milliseconds before answering"
    )
    parser.add_argument("--drop", action="store_true", help="cut the connection instead of answering")
    parser.add_argument(
        "--after", action="store_true", help="do the work first, then fail, so that the app does not know the outcome"
    )
    parser.add_argument("--retry-after", type=int, metavar="SECONDS", help="send this Retry-After with the status")
    parser.add_argument(
        "--gateway",
        action="store_true",
        help="answer with a web page, as a gateway in front of the system does; 302 and 307 are allowed then, too",
    )
    parser.add_argument(
        "--match",
        metavar="PATTERN",
        help='only requests like "PUT /api/orders": a method (* for any), and a regular expression in path and query',
    )
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if the fault is armed."""
    client, screen = client_of(options), Screen()
    suggest = Suggested(options.state)
    if options.system is None:
        _list(screen, client, suggest)
        return 0
    if options.gateway and options.status is None:
        raise CommandError("Say which status the gateway answers with, such as 502 or 302.")
    if options.status is None and not options.drop and not options.delay:
        raise CommandError("Say how it should fail: with a status such as 503, --drop, or --delay MS.")
    if options.status in _REDIRECTS and not options.gateway:
        raise CommandError(f"Only a gateway answers {options.status}: add --gateway.")
    if options.system == "broker":
        _fail_broker(client, options)
    else:
        stand_in = stand_in_of(client, options.system)
        stand_in.add_fault(options.match or match_of(options.system), **fault_of(options))
    screen.say(f"{options.system} {described(options)}.")
    screen.say("To end this:")
    screen.command(suggest(f"heal {options.system}"))
    return 0


def match_of(system: str) -> str:
    """Which requests are hit unless `--match` says otherwise: those of the API, not those for tokens.

    Each kind of system has its API at an address of its own; those of the REST contract share a process.
    """
    return _MATCHES.get(system) or rf"* ^/({system}/api|api|v1|v2\.0|data)/"


def stand_in_of(client: Client, system: str) -> StandIn:
    """The stand-in of this system; raises `CommandError` where the running sandbox has none."""
    found = client.stand_ins.get(system)
    if found is None:
        names = ", ".join((*client.stand_ins, "broker"))
        raise CommandError(f"The running sandbox has no system {system}; it has {names}.")
    return found


def fault_of(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of `http_server.Fault` that the options ask for."""
    return {
        "status": options.status,
        "times": options.times,
        "headers": {} if options.retry_after is None else {"Retry-After": str(options.retry_after)},
        "delay_ms": options.delay,
        "drop": options.drop,
        "after": options.after,
        "gateway": options.gateway,
    }


def described(options: argparse.Namespace) -> str:
    """What happens now, in words."""
    parts = []
    if options.after:
        parts.append("does the work and then")
    if options.delay:
        parts.append(f"waits {options.delay} ms" + (" and then" if options.drop or options.status else " and answers"))
    if options.drop:
        parts.append("cuts the connection")
    elif options.status:
        page = " with a gateway's web page" if options.gateway else ""
        parts.append(f"answers {options.status} {HTTPStatus(options.status).phrase}{page}")
    which = f" that match {options.match}" if options.match else ""
    number = "request" if options.times == 1 else f"{options.times} requests"
    often = f"for the next {number}{which}" if options.times else f"for all requests{which} until it is healed"
    return f"{' '.join(parts)} {often}"


def _fail_broker(client: Client, options: argparse.Namespace) -> None:
    if options.status or options.times or options.match or options.after or options.retry_after:
        raise CommandError("The broker supports only --drop and --delay MS; run.py heal broker ends either.")
    client.broker.add_fault(refuse=options.drop, delay_ms=options.delay)


def _list(screen: Screen, client: Client, suggest: Suggested) -> None:
    rows = []
    for name, system in client.stand_ins.items():
        for fault in system.faults():
            answer = "connection cut" if fault["drop"] else str(fault["status"] or "late")
            left = "until healed" if fault["times"] is None else f"{counted(fault['times'], 'time')} more"
            rows.append((name, answer, left, fault["match"]))
    if rows:
        screen.table(("system", "answer", "how long", "requests"), rows)
    else:
        screen.say("No fault is armed. For example:")
        screen.command(suggest("fail erp 503 --times 3"))


def _status(text: str) -> int:
    if not text.isdigit() or not (400 <= int(text) <= 599 or int(text) in _REDIRECTS):
        raise argparse.ArgumentTypeError(f"{text} is not a status from 400 to 599")
    try:
        return HTTPStatus(int(text)).value
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not an HTTP status") from None

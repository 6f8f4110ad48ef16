"""What answers of Tables, and of whatever answers in its place, come to mean."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from integration.clock import SystemClock
from integration.errors import IntegrationError, Outage, Permanent, Throttled
from integration.tables import Account, EntityExists, PreconditionFailed, Table, TableRejected
from integration.tables.signing import Signer
from integration.transport import Host, Limits, Transport

ROW = {"PartitionKey": "p", "RowKey": "1"}
PAGE = "<html><body>Bad gateway {}</body></html>"


def said(code: str) -> str:
    """An error in the words of Tables."""
    return f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en-us","value":"0:Something."}}}}}}'


@dataclass
class Answers:
    """A server in the place of Tables: it gives these answers, the last one for ever, and keeps what it was asked."""

    answers: list[web.Response] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    pause: float = 0.0

    def give(self, status: int, body: str = "", kind: str = "application/json", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(web.Response(status=status, text=body, content_type=kind, headers=named))

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path_qs))
        await asyncio.sleep(self.pause)
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=given.status, body=given.body, headers=given.headers)


@pytest.fixture
def answers() -> Answers:
    return Answers()


@asynccontextmanager
async def served(answers: Answers, *, seconds: float) -> AsyncIterator[Table]:
    """A table over the server, which has so much time for an answer."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    limits = Limits(connect=seconds, read=seconds, total=seconds)
    transport = Transport([Host(endpoint, limits=limits)], clock=SystemClock())
    yield Table(Account(endpoint, Signer("account", "a2V5", None)), transport, "things")
    await transport.aclose()
    await runner.cleanup()


@pytest.fixture
async def table(answers: Answers) -> AsyncIterator[Table]:
    async with served(answers, seconds=30) as table:
        yield table


CALLS: dict[str, Callable[[Table], Awaitable[object]]] = {
    "get": lambda table: table.get("p", "1"),
    "page": lambda table: table.page("PartitionKey eq 'p'"),
    "insert": lambda table: table.insert(ROW),
    "merge": lambda table: table.merge(ROW),
    "replace": lambda table: table.replace(ROW, etag='W/"1"'),
    "delete": lambda table: table.delete("p", "1"),
    "merge_all": lambda table: table.merge_all([ROW, {**ROW, "RowKey": "2"}]),
    "drop": lambda table: table.drop(),
}


async def failure(call: str, table: Table) -> IntegrationError:
    with pytest.raises(IntegrationError) as raised:
        await CALLS[call](table)
    assert raised.value.service == "ledger"
    return raised.value


AWAY = [
    (500, said("InternalError")),
    (503, said("ServerBusy")),
    (503, PAGE),
    (504, ""),
    (404, PAGE),
    (400, PAGE),
    (409, said("TableBeingDeleted")),
    (408, said("RequestTimeout")),
    (302, ""),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("status", "body"), AWAY)
async def test_a_service_that_is_away_is_an_outage(
    table: Table, answers: Answers, call: str, status: int, body: str
) -> None:
    """Also a page that a proxy gives in its place, whatever its status: it knows nothing of our entities."""
    answers.give(status, body, "application/json" if body.startswith("{") else "text/html")
    error = await failure(call, table)
    assert type(error) is Outage
    assert error.reason == "ledger-unavailable"


@pytest.mark.parametrize("call", ["get", "page", "merge_all"])
async def test_a_page_instead_of_an_answer_is_an_outage(table: Table, answers: Answers, call: str) -> None:
    """A success that is not in the words of Tables says nothing of what was read or written."""
    answers.give(202 if call == "merge_all" else 200, PAGE, "text/html")
    assert isinstance(await failure(call, table), Outage)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("status", "pause"), [(503, "7"), (429, "7"), (429, None)])
async def test_a_busy_service_is_left_alone(
    table: Table, answers: Answers, call: str, status: int, pause: str | None
) -> None:
    """For as long as it asks."""
    answers.give(status, said("ServerBusy"), **({"Retry_After": pause} if pause else {}))
    error = await failure(call, table)
    assert isinstance(error, Throttled)
    assert error.retry_after == (7.0 if pause else None)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "code"), [(403, "AuthorizationPermissionMismatch"), (403, "AuthenticationFailed"), (401, "NoAuth")]
)
async def test_a_role_or_key_that_is_missing_is_no_events_fault(
    table: Table, answers: Answers, call: str, status: int, code: str
) -> None:
    """Events wait until it is mended."""
    answers.give(status, said(code))
    error = await failure(call, table)
    assert type(error) is Outage
    assert error.reason == "ledger-forbidden"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "code"), [(400, "InvalidInput"), (413, "RequestBodyTooLarge"), (400, "PropertyValueTooLarge")]
)
async def test_what_is_wrong_with_a_call_is_a_defect(
    table: Table, answers: Answers, call: str, status: int, code: str
) -> None:
    """It would fail for ever: it is never taken for a ledger that is away."""
    answers.give(status, said(code))
    error = await failure(call, table)
    assert isinstance(error, TableRejected)
    assert isinstance(error, Permanent)
    assert code in str(error)


async def test_the_code_may_come_as_a_header(table: Table, answers: Answers) -> None:
    """Some answers have no body to read it from."""
    answers.give(409, "", "text/plain", x_ms_error_code="EntityAlreadyExists")
    assert isinstance(await failure("insert", table), EntityExists)
    answers.answers.clear()
    answers.give(404, "", "text/plain", x_ms_error_code="ResourceNotFound")
    assert await table.get("p", "1") is None


async def test_the_names_of_tables_come_over_pages(answers: Answers, table: Table) -> None:
    """An account may have more than one answer holds."""
    answers.give(200, '{"value": [{"TableName": "a"}, {"TableName": "b"}]}', x_ms_continuation_NextTableName="b&c")
    answers.give(200, '{"value": [{"TableName": "c"}]}')
    assert await table._account.tables(table._transport) == ["a", "b", "c"]
    assert [path for _, path in answers.asked] == ["/Tables", "/Tables?NextTableName=b%26c"]


async def test_a_lost_race_says_so(table: Table, answers: Answers) -> None:
    answers.give(412, said("UpdateConditionNotSatisfied"))
    assert isinstance(await failure("replace", table), PreconditionFailed)


@pytest.mark.parametrize("call", CALLS)
async def test_a_service_that_is_silent_is_an_outage(answers: Answers, call: str) -> None:
    """Within the limits of the host."""
    answers.give(204)
    answers.pause = 3.0
    async with served(answers, seconds=1) as table:
        error = await failure(call, table)
    assert (type(error), error.reason) == (Outage, "ledger-timeout")


@pytest.mark.parametrize("call", ["insert", "merge", "merge_all"])
async def test_a_table_that_is_being_deleted_is_an_outage(table: Table, answers: Answers, call: str) -> None:
    """For some 40 s after it was dropped neither a write nor its creation gets through: that passes."""
    answers.give(404, said("TableNotFound"))
    answers.give(409, said("TableBeingDeleted"))
    assert type(await failure(call, table)) is Outage


@pytest.mark.parametrize("call", ["insert", "merge", "merge_all"])
async def test_a_table_that_vanishes_again_is_an_outage(table: Table, answers: Answers, call: str) -> None:
    """It was made, and somebody dropped it before the write came."""
    answers.give(404, said("TableNotFound"))
    answers.give(204)
    answers.give(404, said("TableNotFound"))
    assert type(await failure(call, table)) is Outage
    assert [path for _, path in answers.asked][1] == "/Tables"


TRANSACTION = (
    "--batchresponse_1\r\nContent-Type: multipart/mixed; boundary=changesetresponse_1\r\n\r\n"
    "{parts}--changesetresponse_1--\r\n--batchresponse_1--\r\n"
)
PART = (
    "--changesetresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
)


async def test_a_transaction_fails_as_the_part_that_failed(table: Table, answers: Answers) -> None:
    """Its answer is 202 all the same."""
    for status, code, kind in ((400, "InvalidInput", TableRejected), (500, "InternalError", Outage)):
        answers.answers.clear()
        part = PART.format(status=f"{status} Something", body=said(code))
        answers.give(202, TRANSACTION.format(parts=part), "multipart/mixed")
        assert type(await failure("merge_all", table)) is kind


async def test_a_transaction_is_done_when_every_part_is(table: Table, answers: Answers) -> None:
    """An answer that is cut short says nothing of the rest."""
    done = PART.format(status="204 No Content", body="")
    answers.give(202, TRANSACTION.format(parts=done), "multipart/mixed")
    assert type(await failure("merge_all", table)) is Outage
    answers.answers.clear()
    answers.give(202, TRANSACTION.format(parts=done * 2), "multipart/mixed")
    await CALLS["merge_all"](table)

"""What `fail` arms, and how it says so."""

from dataclasses import asdict

import pytest

from sandbox.commands import catalogue
from sandbox.commands.fail import described, fault_of, match_of
from sandbox.systems.http_server import Fault


def options(*arguments: str) -> object:
    return catalogue.find("fail").parser().parse_args(arguments)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "fields", "words"),
    [
        (
            ("erp", "503", "--times", "3"),
            {"status": 503, "times": 3},
            "answers 503 Service Unavailable for the next 3 requests",
        ),
        (
            ("credit", "--delay", "500"),
            {"delay_ms": 500},
            "waits 500 ms and answers for all requests until it is healed",
        ),
        (("erp", "--drop"), {"drop": True}, "cuts the connection for all requests until it is healed"),
        (
            ("erp", "504", "--after", "--times", "1"),
            {"status": 504, "after": True, "times": 1},
            "does the work and then answers 504 Gateway Timeout for the next request",
        ),
        (
            ("credit", "429", "--retry-after", "7"),
            {"status": 429, "headers": {"Retry-After": "7"}},
            "answers 429 Too Many Requests for all requests until it is healed",
        ),
        (
            ("erp", "302", "--gateway", "--times", "2"),
            {"status": 302, "gateway": True, "times": 2},
            "answers 302 Found with a gateway's web page for the next 2 requests",
        ),
    ],
)
def test_options_become_a_fault_and_a_sentence(
    arguments: tuple[str, ...], fields: dict[str, object], words: str
) -> None:
    given = options(*arguments)
    fault = Fault(match="* .*", **fault_of(given))  # type: ignore[arg-type]
    assert asdict(fault) == asdict(Fault(match="* .*", times=None)) | fields
    assert described(given) == words  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["200", "700", "499", "abc"])
def test_only_statuses_that_are_failures_are_taken(status: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options("erp", status)
    assert status in capsys.readouterr().err


@pytest.mark.parametrize(
    ("system", "method", "path", "hit"),
    [
        ("erp", "PUT", "/api/orders/1", True),
        ("erp", "PATCH", "/v2.0/sandbox/api/v2.0/companies(1)/customers(2)", True),
        ("erp", "GET", "/data/CustomersV3?cross-company=true", True),
        ("erp", "POST", "/oauth/token", False),
        ("erp", "POST", "/sandbox/oauth2/v2.0/token", False),
        ("dataverse", "GET", "/api/data/v9.2/accounts", True),
        ("dataverse", "POST", "/tenant/oauth2/v2.0/token", False),
    ],
)
def test_by_default_the_api_fails_and_tokens_are_given(system: str, method: str, path: str, hit: bool) -> None:
    assert Fault(match=match_of(system)).hits(method, path) is hit

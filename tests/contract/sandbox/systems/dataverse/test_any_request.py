"""Whatever is asked: an answer in Dataverse's words, no option passed over, no filter without effect.

`DATAVERSE_EXAMPLES=20000 pytest tests/contract/sandbox/systems/dataverse/test_any_request.py` is the long form, and
`DATAVERSE_SEED` makes other requests.
"""

import os
from urllib.parse import quote

import pytest

from tests.contract.sandbox.systems.dataverse.any_request import Maker, Request
from tests.contract.sandbox.systems.dataverse_client import Dataverse, sign_in
from tests.contract.sandbox.systems.stand_in import Start

EXAMPLES, SEED = int(os.environ.get("DATAVERSE_EXAMPLES", "250")), int(os.environ.get("DATAVERSE_SEED", "1"))
NEVER_KNOWN = ("nonsense", "$skip")


@pytest.fixture(scope="module")
def dataverse(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Dataverse:
    """An environment of its own, which these requests may change."""
    state = tmp_path_factory.mktemp("any")
    return sign_in(start("dataverse", "--state", state, scheme="https", verify=state / "ca.pem"), "application")


def send(dataverse: Dataverse, request: Request) -> tuple[int, str, str]:
    """Status, type and text of the answer."""
    options = "&".join(f"{name}={quote(text, safe='')}" for name, text in request.options)
    url = dataverse.root + quote(request.path, safe="/()$'=,") + (f"?{options}" if options else "")
    headers = {name: "".join(text.splitlines()).strip() for name, text in request.headers.items()}
    headers = {name: text.encode("latin-1", "replace").decode("latin-1") for name, text in headers.items()}
    headers["Authorization"] = f"Bearer {dataverse.token}"
    answer = dataverse.stand_in.http.request(request.method, url, data=request.body, headers=headers, timeout=30)
    return answer.status_code, answer.headers.get("Content-Type", ""), answer.text


def test_every_request_is_answered_in_the_words_of_dataverse(dataverse: Dataverse) -> None:
    """Never by a fault of the stand-in, and never with an option left out of account."""
    maker = Maker(SEED)
    for _ in range(EXAMPLES):
        request = maker.request()
        status, kind, text = send(dataverse, request)
        assert status < 500 or status == 501, f"{request} is answered {status}"
        if status >= 400 and request.method != "HEAD" and not kind.startswith("multipart"):
            assert '"code":"0x8' in text, f"{request} is answered {text}"
        if status < 300:
            unknown = [name for name, _ in request.options if name in NEVER_KNOWN]
            assert not unknown, f"{request} is answered although it has {unknown}"


def test_a_filter_and_its_negation_share_all_rows_between_them(dataverse: Dataverse) -> None:
    """In any expression that is taken at all; `$count` counts what the filter finds."""
    for number in range(6):
        few = {"numberofemployees": number, "revenue": number * 1.5} if number % 3 else {}
        dataverse.create("accounts", {"name": f"n{number}", "creditonhold": bool(number % 2), **few})
    everything, maker, taken = found(dataverse, "accountid ne null"), Maker(SEED), 0
    for _ in range(EXAMPLES // 3):
        expression = maker.filter()
        some, others = found(dataverse, expression), found(dataverse, f"not ({expression})")
        assert (some is None) == (others is None), expression
        if some is None or others is None or everything is None:
            continue
        taken += 1
        assert (some | others, some & others) == (everything, set()), expression
        counted = dataverse.call("GET", f"accounts/$count?$filter={quote(expression, safe='')}&@p='a'")
        assert counted.text == str(len(some)), expression
    assert taken > EXAMPLES // 80


def found(dataverse: Dataverse, expression: str) -> set[str] | None:
    """The ids of the accounts that a filter finds; None when it is refused."""
    answer = dataverse.call("GET", f"accounts?$select=name&$filter={quote(expression, safe='')}&@p='a'")
    if answer.status_code != 200:
        assert answer.status_code in {400, 404, 501}, f"{expression} is answered {answer.status_code}"
        return None
    return {row["accountid"] for row in answer.json()["value"]}

"""Who gets which page, what every answer has in common, and what becomes of errors."""

import pytest

from integration.console.sessions import COOKIE
from integration.errors import Outage
from integration.operations.rights import PRINCIPAL
from tests.unit.integration.operations.console_kit import KEYS, ORIGIN, Console, principal, text_of

WHY = {"why": "the ERP was repaired"}


async def test_every_answer_forbids_what_the_pages_do_not_need() -> None:
    """No inline script or style, no frame, no other site; pages with data are kept nowhere."""
    console = Console()
    for answer in (await console.ask(), await console.ask("nothing"), await console.ask(who="")):
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_who_has_not_signed_in_is_led_there_and_back() -> None:
    console = Console()
    answer = await console.ask("bulk/plan", who="")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/api/console/sign-in?to=bulk%2Fplan")
    signed_in = await console.ask("sign-in", {"key": KEYS["rita"], "to": "bulk/plan"}, who="")
    assert (signed_in.status_code, signed_in.headers["Location"]) == (303, "/api/console/bulk/plan")
    cookie = signed_in.headers["Set-Cookie"]
    assert cookie.endswith("; Path=/api/console; Max-Age=43200; HttpOnly; SameSite=Strict; Secure")
    assert KEYS["rita"] not in cookie
    page = await console.ask(who="", headers={"Cookie": cookie.partition(";")[0]})
    assert "Signed in as" in text_of(page)


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "..\\evil", "a?b=c"])
async def test_nobody_is_led_to_another_site(to: str) -> None:
    answer = await Console().ask("sign-in", {"key": KEYS["rita"], "to": to}, who="")
    assert answer.headers["Location"] == "/api/console"


async def test_a_wrong_key_opens_no_session() -> None:
    answer = await Console().ask("sign-in", {"key": "wrong"}, who="")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (401, False)


async def test_signing_out_ends_the_session() -> None:
    answer = await Console().ask("sign-out", {})
    assert answer.headers["Set-Cookie"].startswith(f"{COOKIE}=; Path=/api/console; Max-Age=0")


async def test_a_form_that_comes_from_elsewhere_is_refused() -> None:
    """Whatever the browser says of it; older browsers say only the origin, and none says nothing at all."""
    console = Console()
    original = await console.desk.dead_letter()
    path = f"events/{original.event_id}/discard"
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": "", "Origin": ""},
    ):
        answer = await console.ask(path, WHY, headers=headers)
        assert (answer.status_code, "Another site" in text_of(answer)) == (403, True)
    assert console.desk.audited == []
    assert (await console.ask(path, WHY, headers={"Sec-Fetch-Site": "", "Origin": ORIGIN})).status_code == 303


async def test_whom_the_platform_has_signed_in_needs_no_key() -> None:
    """Its header counts only where the settings say that it stands in front."""
    header = {PRINCIPAL: principal("reader", name="mara@contoso.example")}
    page = await Console(signed_in_by_platform=True).ask(who="", headers=header)
    assert (page.status_code, "mara@contoso.example" in text_of(page)) == (200, True)
    assert (await Console().ask(who="", headers=header)).status_code == 303


@pytest.mark.parametrize("header", ["not base64!", "bm90IGpzb24=", "e30="])
async def test_a_header_of_the_platform_that_cannot_be_read_is_nobody(header: str) -> None:
    answer = await Console(signed_in_by_platform=True).ask(who="", headers={PRINCIPAL: header})
    assert answer.status_code == 401


async def test_who_has_no_role_sees_nothing() -> None:
    answer = await Console().ask(who="nobody")
    assert (answer.status_code, "needs the role reader" in text_of(answer)) == (403, True)


async def test_the_tables_being_away_is_said_on_a_page() -> None:
    console = Console()
    console.desk.table("problems").away = True
    answer = await console.ask()
    assert (answer.status_code, "Nothing is lost" in text_of(answer)) == (503, True)


async def test_a_defect_shows_nothing_of_its_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console()

    async def fails() -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(console.services.causes, "now", fails)
    answer = await console.ask("causes")
    assert (answer.status_code, "a secret" in text_of(answer)) == (500, False)


async def test_an_outage_in_a_form_says_that_nothing_was_done_twice() -> None:
    console = Console()
    original = await console.desk.dead_letter()
    console.desk.world.queue.full = True
    answer = await console.ask(f"events/{original.event_id}/retry", WHY)
    assert (answer.status_code, "nothing was done twice" in text_of(answer)) == (503, True)
    assert isinstance(Outage("x"), Exception)


async def test_assets_are_kept_by_browsers_under_an_address_of_their_content() -> None:
    console = Console()
    page = text_of(await console.ask("sign-in", who=""))
    address = page.partition('rel="stylesheet" href="/api/console/')[2].partition('"')[0]
    answer = await console.ask(address, who="")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/css", "private, max-age=31536000, immutable")
    assert (await console.ask("assets/x/..%2fsite.py", who="")).status_code == 404

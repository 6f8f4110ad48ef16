"""A real browser: the Chromium of this machine, driven by Playwright. Where there is none, the tests say so."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.browser.sample import Sample, sampled
from tests.contract.node_packages import installed, skip

THOROUGH = "CONSOLE_BROWSER"
"""A variable: where it is set, as `run.py browser` does, all tests run; else those that are quick."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (it) =>
  window.refused.push(`${it.violatedDirective} ${it.blockedURI}`));
"""

Opened = Callable[..., Page]
"""Opens a page as somebody: `opened(path, who="anna", scheme="light", width=1280, script=True)`."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the thorough tests to `run.py browser`."""
    if os.environ.get(THOROUGH):
        return
    left_out = [it for it in items if it.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [it for it in items if it not in left_out]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """CHROMIUM names its program, if it is not on PATH (Debian: apt-get install chromium).

    Playwright keeps an event loop running while it is open: in the same process no test with a loop of its own runs
    meanwhile, so it is closed after each module.
    """
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        skip("the console was not tested in a browser: there is no Chromium on PATH, and CHROMIUM names none")
    expect.set_options(timeout=15_000)  # far more than anything takes, as machines are busy
    with sync_playwright() as playwright:
        try:
            found = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except Error as error:
            skip(f"the console was not tested in a browser: {program} does not start: {str(error).splitlines()[0]}")
        yield found
        found.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of the accessibility checks."""
    package = installed(Path(__file__).parent / "node", "axe-core")
    return (package / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def sample() -> Iterator[Sample]:
    """A console with a lifelike day."""
    with sampled() as found:
        yield found


@pytest.fixture
def opened(browser: Browser, sample: Sample) -> Iterator[Opened]:
    """Pages of the sample's console; at the end, none of them may have been refused anything by its own policy."""
    contexts: list[BrowserContext] = []

    def open_page(
        path: str = "", *, who: str = "anna", scheme: str = "light", width: int = 1280, script: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.add_init_script(_WATCH)
        if who:
            context.add_cookies([sample.served.session(who)])  # type: ignore[list-item] # a TypedDict by its items
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.goto(sample.address(path))
        return page

    yield open_page
    for context in contexts:
        for page in context.pages:
            if page.evaluate("typeof window.refused !== 'undefined'"):
                assert page.evaluate("window.refused") == [], page.url
        context.close()

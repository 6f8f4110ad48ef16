"""The pictures of the console in README and docs: `run.py browser --pictures` makes them anew."""

import os
from pathlib import Path

import pytest

from tests.browser.conftest import Opened
from tests.browser.sample import Sample

PICTURES = "CONSOLE_PICTURES"
"""A variable with the folder into which they are written; without it they are made and thrown away."""
SHOWN = ("overview", "event")


@pytest.mark.thorough
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pictures_of_the_documentation_can_be_made(
    opened: Opened, sample: Sample, scheme: str, tmp_path: Path
) -> None:
    folder = Path(os.environ.get(PICTURES) or tmp_path)
    page = opened(scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 800})
    for name in SHOWN:
        page.goto(sample.address(sample.pages()[name]))
        page.screenshot(path=folder / f"console-{name}-{scheme}.png")
    assert {path.name for path in folder.glob(f"console-*-{scheme}.png")} == {
        f"console-{it}-{scheme}.png" for it in SHOWN
    }

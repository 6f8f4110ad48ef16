"""The site builds without a warning, and its pages need nothing from the network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from documentation.source import REPOSITORY

FETCHED = re.compile(
    r"""<(?:script|img|source|iframe|video)\b[^>]*\bsrc(?:set)?=["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|<link\b(?![^>]*rel=["']?canonical)[^>]*\bhref=["']?((?:https?:)?//[^"'\s>]+)"""
)
"""What a browser fetches by itself when it shows a page."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `python3 run.py docs` builds it: a dead link or anchor, or an orphan page, fails."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(  # noqa: S603 -- our own site
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """No fonts, scripts, styles or pictures from other hosts: the site works behind any firewall."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        assert FETCHED.findall(page.read_text(encoding="utf-8")) == [], page.name
    for style in site.rglob("*.css"):
        assert re.findall(r"url\(\s*[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")) == [], style.name


def test_what_would_be_fetched_is_seen() -> None:
    """The pattern of the test above knows the ways in which a page asks for something."""
    for element in (
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<img alt="x" src=//img.example/x.png>',
    ):
        assert FETCHED.search(element), element
    assert not FETCHED.search('<a href="https://example.org/">elsewhere</a>')


def test_code_is_set_as_code(site: Path) -> None:
    """A fence that Markdown does not understand would show its backquotes."""
    for page in site.rglob("*.html"):
        assert "```" not in page.read_text(encoding="utf-8"), page.name

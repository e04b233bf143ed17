"""The documents as a site: complete, and readable without a network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from browser import Browser, chromium

import gitmemo

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "docs/api"
pytestmark = pytest.mark.skipif(not API.is_dir(), reason="the documents are not beside the tests")


def test_every_public_name_has_its_place_in_the_reference() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in sorted(API.glob("*.md")))
    shown = re.findall(r"^::: gitmemo\.(?:\w+\.)*(\w+)$", pages, re.MULTILINE)
    assert len(shown) == len(set(shown))
    assert {*gitmemo.__all__} - {"__version__"} <= {*shown}


def test_pictures_say_what_they_are_and_fetch_nothing() -> None:
    pictures = sorted((ROOT / "docs/pictures").glob("*.svg"))
    assert pictures
    for picture in pictures:
        text = picture.read_text("utf-8")
        assert "<title>" in text and "prefers-color-scheme: dark" in text
        assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]


def test_the_site_is_built_strictly_fetches_nothing_and_is_searched_as_files(
    tmp_path: Path,
) -> None:
    pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
    command = ["-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loaded = re.findall(
            r"<(?:script|img|link rel=\"(?:stylesheet|icon|preconnect)\")[^>]*(?:src|href)=\"([^\"]+)",
            page.read_text("utf-8"),
        )
        assert loaded
        assert not [address for address in loaded if "//" in address], page
    if chromium():
        look_at(tmp_path / "tutorial.html")


def look_at(page: Path) -> None:
    """Use a page of the site that is opened from a folder, as one of a clone is."""
    scheme = "document.body && document.body.dataset.mdColorScheme"
    with Browser() as browser:
        browser.look(dark=True)
        browser.open(page.as_uri(), ready=f"{scheme} === 'slate'")
        browser.look(dark=False)
        browser.wait(f"{scheme} === 'default'")
        browser.wait("document.querySelector('input.md-search__input')")
        browser.run("document.querySelector('input.md-search__input').focus()")
        browser.type("trust")
        browser.wait("document.querySelectorAll('.md-search-result__item').length > 5")
        assert browser.complaints() == []
        assert {*(address.partition(":")[0] for address in browser.requests())} <= {"file", "data"}

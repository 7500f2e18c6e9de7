"""The pictures in docs/console.md: they are of the pages as they are.

`TRUEUP_TEST_PICTURES=1 python -m pytest -m '' tests/browser/test_pictures.py` makes them anew. Otherwise
it is checked that each page still says what its picture shows, which stands beside it as a text:
how letters are drawn is of each machine, and what they say is not.
"""

import os
import re
from pathlib import Path

import pytest

from tests.browser.conftest import PAGES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "images"
PICTURES = {
    "overview": ("overview", 1100, "light"),
    "budgets": ("budgets", 1100, "light"),
    "waiting": ("waiting", 1100, "dark"),
    "telephone": ("budget", 375, "dark"),
}
HIGHEST = 760


def said(page):
    """What a person reads on it, a line each."""
    lines = page.locator("body").inner_text().split("\n")
    return "".join(f"{line.strip()}\n" for line in lines if line.strip())


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", PICTURES)
def test_a_page_says_what_its_picture_shows(opened, calm_site, name):
    path, width, scheme = PICTURES[name]
    page = opened(PAGES[path], width, scheme, site=calm_site)
    text = FOLDER / f"{name}.txt"
    if os.environ.get("TRUEUP_TEST_PICTURES"):
        FOLDER.mkdir(exist_ok=True)
        last = page.locator("main > *").last.bounding_box()
        high = min(HIGHEST, int(last["y"] + last["height"]) + 24)
        page.set_viewport_size({"width": width, "height": high})
        page.screenshot(path=FOLDER / f"{name}.png")
        text.write_text(said(page))
    assert said(page) == text.read_text()
    assert (FOLDER / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_document_shows_each_picture_with_words_and_no_other():
    shown = re.findall(
        r"!\[([^\]]+)\]\(images/(\w+)\.png\)", (ROOT / "docs/console.md").read_text()
    )
    assert sorted(name for _, name in shown) == sorted(PICTURES)
    assert sorted(each.stem for each in FOLDER.glob("*.png")) == sorted(PICTURES)

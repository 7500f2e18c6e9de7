"""The pages as a browser shows them: readable by all, on each width, and asking nobody else."""

import pytest

from tests.browser.conftest import AXE, LOOKS, PAGES

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SPARED = {("hostile", *LOOKS[0]), ("overview", *LOOKS[3])}  # fmt: skip
"""What `make test` looks at; the others are faults."""
VIEWS = [
    pytest.param(
        *(name, *look), marks=() if (name, *look) in SPARED else pytest.mark.faults,
        id=f"{name}-{look[0]}-{look[1]}",
    )
    for name in PAGES
    for look in LOOKS
]  # fmt: skip


@pytest.mark.parametrize(("name", "width", "scheme"), VIEWS)
def test_a_page_is_for_everybody_and_asks_nobody_else(opened, name, width, scheme):
    page = opened(PAGES[name], width, scheme)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, "the page is wider than the screen"
    page.evaluate(AXE.read_text())  # not as a script of the page: its policy allows none
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
    )
    told = [
        f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes'][:3]]}"
        for each in found["violations"]
    ]
    assert told == []
    assert len(found["passes"]) > 10
    assert page.strangers == []
    assert page.wrong == []


def test_a_hostile_name_is_text_and_runs_nothing(opened):
    page = opened(PAGES["hostile"])
    assert "<script>alert(1)</script>" in page.locator("h1").inner_text()
    assert page.locator("main script").count() == 0
    assert page.wrong == []


def test_the_pages_are_read_without_javascript(opened):
    page = opened("/", java_script_enabled=False)
    for name in ("Waiting", "Audit"):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        assert page.get_by_role("heading", level=1).is_visible()
    page.goto(f"{page.url.removesuffix('/audit')}/budgets?text=Travel")
    assert page.get_by_role("link", name="CC1").is_visible()
    assert page.get_by_role("link", name="CC2").count() == 0


def test_a_keyboard_skips_to_the_content_and_sees_where_it_is(opened):
    page = opened("/budgets")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("each => each === document.activeElement")
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    line = page.evaluate(
        "() => { const s = getComputedStyle(document.activeElement);"
        " return [s.outlineStyle, parseFloat(s.outlineWidth)]; }"
    )
    assert line[0] != "none"
    assert line[1] >= 2


@pytest.mark.faults
def test_a_filter_changes_the_table_alone(opened):
    page = opened("/budgets")
    page.evaluate("document.body.dataset.same = 'yes'")
    page.get_by_label("Ref, name or id").fill("Travel")
    page.get_by_role("link", name="CC2").wait_for(state="detached")
    assert page.evaluate("document.body.dataset.same") == "yes"
    assert "text=Travel" in page.url
    assert page.strangers == []

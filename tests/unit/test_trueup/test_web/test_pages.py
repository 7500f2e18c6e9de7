"""What the pages show: the state's numbers, in the command line's words, and nothing foreign as
markup."""

import csv
import io
import json
import re
import shutil
from datetime import timedelta
from itertools import pairwise
from threading import Event

import pytest
from msgspec.structs import replace

from canonical.allocation import Status
from canonical.change import Plan
from canonical.kind import Kind
from canonical.spent import Spent
from config.logs import register_secret
from connectors.contract.errors import Rejected
from tests.unit.test_trueup.test_planned import HOSTILE as MARKUP
from tests.unit.test_trueup.test_planned import TRAVEL, change
from tests.unit.test_trueup.test_web.browsing import NOW, browsing, fill, folder_of, usd
from trueup.workspace import open_workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a state in which there is something."""
    folder = folder_of(tmp_path_factory.mktemp("console"))
    with open_workspace(folder / "trueup.toml") as workspace:
        fill(workspace.store)
    return folder


@pytest.fixture(scope="module")
def module_browser(folder):
    with browsing(folder) as browser:
        yield browser


@pytest.fixture
def browser(module_browser):
    return module_browser


def text_of(html):
    """What a person reads of it, on one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def row_of(html, ref):
    """The cells of the row of that budget."""
    (row,) = [
        each for each in re.findall(r"<tr>.*?</tr>", html, re.DOTALL) if f">{ref}</a>" in each
    ]
    return [text_of(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]


PAGES = (
    "/", "/budgets", "/budget?source=erp&ref=CC1", "/budget?source=erp&ref=CC2", "/budget?source=erp&ref=CC3",
    "/plans", "/plans/erp-to-cards", "/waiting", "/runs", f"/runs/{'f' * 12}", "/audit", "/audit/check",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_page_stands_and_holds_no_foreign_markup_and_no_secret(browser, path):
    register_secret("tok_canary_31f8")
    html = browser.page(path)
    assert "<script>alert" not in html
    assert "\x1b" not in html
    assert "tok_canary" not in html
    assert not re.search(r"<[^>]+ (style|on\w+)=", html)
    assert not re.search(r'(src|href)="(?!/|#)', html)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_landmarks_a_language_a_title_and_headings_in_order(browser, path):
    html = browser.page(path)
    assert '<html lang="en">' in html
    assert all(html.count(f"<{tag}") == 1 for tag in ("main", "h1", 'nav aria-label="Pages"'))
    assert html.count("· Trueup</title>") == 1
    assert 'href="#content"' in html
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert all(now - before <= 1 for before, now in pairwise(levels))
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert {*re.findall(r'aria-labelledby="([^"]+)"', html)} <= {*ids}


def test_the_overview_says_what_status_says(browser):
    said = text_of(browser.page("/"))
    assert "erp-to-cards erp → to cards partial" in said
    assert "linked 3 pending 0 waiting 2 kept 2 edited in the target 1" in said
    assert "no good run yet" not in said
    assert "Last good run none yet" in said
    assert "Edited in the target, by 500.00 USD" in said
    assert 'aria-label="the last 1 runs: 1 partial"' in browser.page("/")


def test_a_budget_is_one_row_over_all_systems(browser):
    html = browser.page("/budgets")
    assert row_of(html, "CC3") == [
        "CC3 Phased", "active", "300.00 USD monthly", "–", "300.00", "", "", "", "",
    ]  # fmt: skip
    assert [*row_of(html, "CC2")[2:6]] == [
        "3,000.00 USD monthly",
        "2,500.00 −500.00 ▾",
        "–",
        "−500.00 ▾",
    ]
    assert "3 budgets" in text_of(html)


def test_what_waits_is_shown_as_both_sides_showed_it(browser):
    cells = row_of(browser.page("/budgets"), "CC1")
    assert cells[0] == "CC1 Travel 1 to decide"
    assert cells[2:6] == ["1,200.00 USD monthly", "1,450.00 +250.00 ▴", "1,200.00", "+250.00 ▴"]


@pytest.mark.parametrize(
    ("asked", "refs"),
    [
        ("text=travel", ["CC1"]),
        ("text=v-1", ["CC3"]),
        ("text=cc+phased", ["CC3"]),
        ("text=%25", []),
        ("system=clouds", ["CC1", "CC3"]),
        ("status=active", ["CC1", "CC2", "CC3"]),
        ("status=retired", []),
        ("difference=differs", ["CC1", "CC2"]),
        ("difference=waits", ["CC1"]),
        ("difference=none", ["CC3"]),
        ("difference=over", []),
        ("difference=nonsense&order=nonsense&page=-1", ["CC1", "CC2", "CC3"]),
        ("order=difference", ["CC2", "CC1", "CC3"]),
        ("order=amount", ["CC2", "CC1", "CC3"]),
        ("page=99999999999999999999", ["CC1", "CC2", "CC3"]),
    ],
)
def test_budgets_are_filtered_and_ordered(browser, asked, refs):
    html = browser.page(f"/budgets?{asked}")
    assert re.findall(r">(CC\d)</a>", html) == refs


def test_the_sums_are_of_what_is_shown(browser):
    html = browser.page("/budgets?difference=differs")
    assert "2 in USD 4,200.00 USD" in text_of(html)


def test_htmx_gets_the_rows_alone_and_a_reader_without_script_the_page(browser):
    part = browser.get("/budgets?text=travel", headers={"hx-request": "true"}).text
    assert "<html" not in part
    assert ">CC1</a>" in part


def test_a_budgets_page_has_its_periods_ids_allocations_and_history(browser):
    html = browser.page("/budget?source=erp&ref=CC1")
    said = text_of(html)
    assert "<code>b-0</code>" in html
    assert "<code>v-0</code>" in html
    assert "a account:6100 active 500.00 USD monthly 500.00 –" in said  # it tells no cadence
    assert "2026-03-01..2026-03-31 now 1,200.00 1,200.00" in said
    assert "update budget CC1 applied: amount 1,000.00 USD → 1,200.00 USD (request req-77)" in said
    assert "edited:" in said


def test_a_budgets_phases_are_its_chart(browser):
    html = browser.page("/budget?source=erp&ref=CC3")
    heights = re.findall(r'<rect class="is-stated"[^>]* height="(\d+)"', html)
    assert [*map(int, heights)] == sorted(map(int, heights))
    assert len(heights) == 3


@pytest.mark.parametrize(
    "path",
    ["/budget?source=erp&ref=CC9", "/budget", "/runs/nothing", "/plans/none", "/runs?sync=x"],
)
def test_what_is_not_there_is_told_with_404(browser, path):
    assert browser.get(path).status_code == 404


def test_waiting_tells_both_values_and_what_each_way_out_would_do(browser):
    said = text_of(browser.page("/waiting"))
    assert "source 1,200.00 USD target 1,450.00 USD" in said
    assert "source for 1 1,200.00 USD counts, 250.00 less than the target" in said
    assert "target for 1 1,450.00 USD counts, 250.00 more than the source" in said
    assert browser.get("/waiting?sync=erp-to-clouds").text.count("Nothing waits") == 1


def test_a_run_tells_each_field_from_what_to_what_and_the_vendors_request(browser):
    said = text_of(browser.page(f"/runs/{'f' * 32}"))
    assert "update budget CC1 amount 1,000.00 USD 1,200.00 USD applied b-0 req-77" in said
    assert "f" * 12 in browser.page("/runs?sync=erp-to-cards")
    assert "1 applied" in text_of(browser.page("/runs"))


@pytest.mark.parametrize(
    ("asked", "count"),
    [("", 4), ("kind=operation", 1), ("ref=CC1", 1), ("text=REQ-77", 1), ("text=%25", 0), ("sync=none", 0),
     ("since=2000-01-01", 4), ("since=9999-01-01", 0), ("since=nonsense&before=x", 4), ("before=3", 2)],
)  # fmt: skip
def test_the_audit_is_searched(browser, asked, count):
    assert browser.page(f"/audit?{asked}").count('<td class="number">') == count


def test_the_audit_is_exported_as_the_command_line_exports_it(browser):
    rows = json.loads(browser.page("/audit/as/json?kind=operation"))["rows"]
    assert [each["entry"]["ref"] for each in rows] == ["CC1"]
    lines = [*csv.DictReader(io.StringIO(browser.page("/audit/as/csv")))]
    assert [each["number"] for each in lines] == ["1", "2", "3", "4"]
    assert (
        browser.get("/audit/as/csv").headers["content-disposition"]
        == 'attachment; filename="audit.csv"'
    )
    assert browser.get("/audit/as/text").status_code == 404


def test_the_audits_chain_is_checked(browser):
    assert "4 rows as they were written" in text_of(browser.page("/audit/check"))


# -- plans and what was spent --------------------------------------------------------------------


def plan_of(*changes):
    return Plan(
        plan_id="p1",
        sync="erp-to-cards",
        source="erp",
        target="cards",
        as_of=NOW.date(),
        changes=changes,
    )


@pytest.fixture
def own(folder):
    """A browser of its own, whose jobs end when they are waited for."""
    with browsing(folder) as browser:
        yield browser


def made(browser, sync="erp-to-cards"):
    assert browser.post(f"/plans/{sync}/make").status_code == 303
    browser.jobs.close()


def test_a_plan_is_made_by_the_workspace_shown_and_kept(own, monkeypatch):
    asked = []

    def plan(self, sync, *, watch):
        watch.stage("observe")
        asked.append(sync)
        return plan_of(change(), change(model=replace(TRAVEL, ref=MARKUP)))

    monkeypatch.setattr("trueup.workspace.Workspace.plan", plan)
    made(own)
    html = own.page("/plans/erp-to-cards")
    assert asked == ["erp-to-cards"]
    assert "<script>alert" not in html
    assert "budget CC1" in text_of(html)
    assert own.page("/plans/erp-to-cards/as/html").startswith("<!doctype html>")
    assert Plan.load(own.page("/plans/erp-to-cards/as/json")).plan_id == "p1"
    assert own.page("/plans/erp-to-cards/as/csv").startswith("op,kind,object,field,before,after")
    assert own.get("/plans/erp-to-cards/as/csv").headers["content-disposition"].endswith('-10.csv"')
    assert own.get("/plans/erp-to-cards/progress").headers["hx-refresh"] == "true"
    assert own.get("/plans/erp-to-clouds/as/csv").status_code == 404


def test_a_plan_that_cannot_be_made_says_why_and_the_last_one_stays(own, monkeypatch):
    def plan(self, sync, *, watch):
        raise Rejected("cards does not answer")

    monkeypatch.setattr("trueup.workspace.Workspace.plan", plan)
    made(own)
    html = own.page("/plans/erp-to-cards")
    assert "No plan could be made" in html
    assert "cards does not answer" in html


def test_a_plan_is_not_made_twice_at_once(own):
    asked, held = [], Event()

    def make(watch):
        watch.stage("observe")
        asked.append(1)
        held.wait(10)

    own.jobs.start("plan", "erp-to-cards", make)
    assert own.post("/plans/erp-to-cards/make").status_code == 303
    assert 'hx-trigger="every 1s"' in own.page("/plans/erp-to-cards")
    assert '<noscript><meta http-equiv="refresh"' in own.page("/plans/erp-to-cards")
    held.set()
    own.jobs.close()
    assert asked == [1]


def spent(ref, amount, sync="erp-to-cards"):
    return Spent(
        system="cards", sync=sync, kind=Kind.BUDGET, ref=ref, budget_ref=None, name=ref, target_id="b",
        above=None, status=Status.ACTIVE, amount=usd("1200.00"), spent=usd(amount), pending=None,
        remaining=None, at=None,
    )  # fmt: skip


def test_what_was_spent_is_read_by_a_button_and_stands_beside_what_is_stated(own, monkeypatch):
    rows = [spent("CC1", "1500.00"), spent("CC2", "750.00"), spent("CC3", "1.00", sync=None)]
    monkeypatch.setattr(
        "trueup.workspace.Workspace.spending",
        lambda self, name, shares: iter(rows if name == "cards" else ()),
    )
    assert "was not read yet" in own.page("/budgets")
    assert own.post("/budgets/spent").status_code == 303
    own.jobs.close()
    html = own.page("/budgets")
    assert row_of(html, "CC1")[6:] == ["1,500.00", "−300.00", "125 % over"]
    assert row_of(html, "CC2")[6:] == ["750.00", "2,250.00", "25 %"]
    assert row_of(html, "CC3")[6:] == ["", "", ""]
    assert re.findall(r">(CC\d)</a>", own.page("/budgets?difference=over")) == ["CC1"]
    assert "1,500.00 USD" in text_of(own.page("/budget?source=erp&ref=CC1"))


# -- faults --------------------------------------------------------------------------------------


def test_a_state_that_went_away_is_told_and_comes_back(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "own")
    state = tmp_path / "own" / "trueup.db"
    with browsing(tmp_path / "own") as browser:
        assert ">CC1</a>" in browser.page("/budgets")
        kept = tmp_path / "kept.db"
        state.rename(kept)
        answer = browser.get("/budgets")
        assert answer.status_code == 503
        assert "the state is not there" in answer.text
        assert not state.exists()
        shutil.copy(kept, state)
        assert ">CC1</a>" in browser.page("/budgets")


def test_a_mistake_of_ours_shows_nothing_of_itself(own, monkeypatch):
    def broken(self, *a, **k):
        raise RuntimeError("tok_inner")

    monkeypatch.setattr("trueup.workspace.Workspace.waiting", broken)
    answer = own.get("/waiting")
    assert answer.status_code == 500
    assert "tok_inner" not in answer.text
    assert "this is a mistake in Trueup" in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_session_ends_in_the_pages_too(own):
    own.clock.time += timedelta(minutes=31)
    assert own.get("/").status_code == 401
    assert len(own.tokens) == 2

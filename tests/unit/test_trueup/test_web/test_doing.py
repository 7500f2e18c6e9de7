"""What the pages write: plans applied, approved and undone, each once and by name, over files."""

import re
import shutil
from datetime import UTC, datetime

import pytest

from sync.state.audit import Audit, Event
from tests.unit.test_trueup.test_web.browsing import HOSTILE, browsing
from tests.unit.test_trueup.test_web.test_deciding import as_person
from tests.unit.test_trueup.test_web.test_pages import text_of
from trueup.workspace import Workspace

SETTINGS = """
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.copy]
connector = "file"
path = "copy.csv"

[syncs.s]
source = "erp"
target = "copy"
"""
HEAD = "ref,name,currency,amount,cadence,start,end\n"
ASKS = 'approval = "always"\nfour_eyes = true\n'


class AtOnce:
    """Does a job where it is begun."""

    def submit(self, do, *said):
        do(*said)

    def shutdown(self, **how):
        pass


class Desk:
    """A folder with two files, and a browser on its console whose jobs are done at once."""

    def __init__(self, folder, browser):
        self.folder, self.browser = folder, browser
        browser.jobs._pool = AtOnce()

    def state(self, *amounts):
        """What the source states: a budget for each amount."""
        rows = [
            f"CC{n},Travel {n},USD,{amount},monthly,2026-01-01,2026-12-31\n"
            for n, amount in enumerate(amounts, start=1)
        ]
        (self.folder / "budgets.csv").write_text(HEAD + "".join(rows))

    def held(self):
        """The amounts that the target holds."""
        return re.findall(r",USD,([\d.]+),", (self.folder / "copy.csv").read_text())

    def plan(self):
        """Make a plan; its id."""
        html = self.browser.press("/plans/s/make")
        found = re.search(r'name="plan_id" value="(\w+)"', html)
        return found and found[1]

    def apply(self, plan_id, **more):
        return self.browser.press_on("/plans/s/apply", {"plan_id": plan_id, **more})

    def run(self):
        """Plan and apply; the address of the run's page."""
        return self.apply(self.plan())[0]

    def rows(self, kind):
        return [each for each in Audit(self.browser.workspace.store).rows() if each.kind == kind]


@pytest.fixture
def desk(tmp_path, request):
    settings = SETTINGS + getattr(request, "param", "")
    (tmp_path / "trueup.toml").write_text(settings)
    (tmp_path / "copy.csv").write_text(HEAD)
    with browsing(tmp_path, lambda: datetime.now(UTC)) as browser:
        desk = Desk(tmp_path, browser)
        desk.state("100.00", "200.00")
        yield desk


def test_a_plan_is_applied_as_its_person_and_ends_on_the_runs_page(desk, monkeypatch):
    as_person(monkeypatch, "Ada")
    at, html = desk.apply(desk.plan())
    assert at.startswith("/runs/")
    assert "2 applied" in text_of(html)
    assert desk.held() == ["100.00", "200.00"]
    assert {row.data["by"]["name"] for row in desk.rows(Event.OPERATION)} == {"Ada"}


def test_a_double_click_applies_once(desk):
    plan_id = desk.plan()
    desk.apply(plan_id)
    at, html = desk.apply(plan_id)
    assert at == "/plans/s"
    assert "the plan has gone stale" in text_of(html)
    assert len(desk.rows(Event.OPERATION)) == 2


def test_a_second_click_while_it_goes_on_leads_to_the_same_and_another_person_is_told(
    desk, monkeypatch
):
    plan_id = desk.plan()
    as_person(monkeypatch, "Ada")
    about = f"the plan {plan_id[:12]}, begun by Ada"
    desk.browser.jobs._pool.submit = lambda do, *said: None  # it waits for its turn
    desk.browser.post("/plans/s/apply", {"plan_id": plan_id})
    assert about in text_of(desk.browser.page("/"))
    at, html = desk.apply(plan_id)
    assert at == "/doing/s"
    assert "nothing more was begun" not in html
    assert 'hx-get="/doing/s/progress"' in html
    assert '<noscript><meta http-equiv="refresh"' in html
    as_person(monkeypatch, "Bob")
    assert f"nothing more was begun: {about}, goes on" in text_of(desk.apply(plan_id)[1])


def test_a_plan_in_whose_place_another_was_made_is_refused(desk):
    old = desk.plan()
    desk.state("100.00", "300.00")
    desk.plan()
    html = desk.apply(old)[1]
    assert "the plan that you looked at is not the last one any more" in text_of(html)
    assert desk.held() == []


def test_of_a_plan_what_changed_in_the_source_since_is_left_and_told(desk):
    plan_id = desk.plan()
    desk.state("100.00", "300.00")
    html = desk.apply(plan_id)[1]
    assert "it changed since the plan was made; plan again" in text_of(html)
    assert desk.held() == ["100.00"]


def test_a_paused_sync_does_nothing_and_says_who_paused_it(desk, monkeypatch):
    plan_id = desk.plan()
    as_person(monkeypatch, HOSTILE)
    html = desk.browser.press("/syncs/s/pause", {"because": "closing"})
    assert "s is paused since" in html
    assert "<script>alert" not in html
    html = desk.apply(plan_id)[1]
    assert "Nothing more is done: s is paused since" in text_of(html)
    assert desk.held() == []
    assert 'action="/plans/s/apply"' not in desk.browser.page("/plans/s")
    assert "runs again" in desk.browser.press("/syncs/s/resume")
    assert "was not paused" in desk.browser.press("/syncs/s/resume")


def test_a_pause_wants_a_reason_and_is_made_once(desk):
    assert "say why s is paused" in desk.browser.press("/syncs/s/pause", {"because": " "})
    desk.browser.press("/syncs/s/pause", {"because": "closing"})
    html = desk.browser.press("/syncs/s/pause", {"because": "another"})
    assert "nothing was done: s is paused since" in html
    assert len(desk.rows(Event.PAUSE)) == 1


@pytest.mark.parametrize("desk", ['[syncs.s.guard]\nmax_budget_change = "10%"\n'], indirect=True)
def test_a_guard_is_let_through_by_a_tick_and_a_reason(desk):
    desk.run()
    desk.state("100.00", "300.00")
    plan_id = desk.plan()
    tick = re.findall(r'name="allow" value="([^"]+)"', desk.browser.page("/plans/s"))
    assert "say why" in desk.apply(plan_id, allow=tick)[1]
    assert "none is ticked" in desk.apply(plan_id, because="a new year")[1]
    assert "no guard has the rule" in desk.apply(plan_id, allow="x", because="a new year")[1]
    assert desk.held() == ["100.00", "200.00"]
    desk.apply(plan_id, allow=tick, because="a new year")
    assert desk.held() == ["100.00", "300.00"]
    row = desk.rows(Event.OVERRIDE)[-1]
    assert row.data["said"]["because"] == "a new year"


# -- approval ------------------------------------------------------------------------------------


def approval(desk):
    """Ask for an approval; the address of its page."""
    html = desk.apply(desk.plan())[1]
    return re.search(r'href="(/approvals/\w+)"', html)[1]


@pytest.mark.parametrize("desk", [ASKS], indirect=True)
def test_a_plan_is_asked_for_by_one_approved_by_another_and_applied_once(desk, monkeypatch):
    as_person(monkeypatch, "Ada")
    at = approval(desk)
    assert desk.held() == []
    assert "Ada asked for this plan" in desk.browser.press(f"{at}/approve")
    as_person(monkeypatch, "Bob")
    html = desk.browser.press(f"{at}/approve", {"note": f"board {HOSTILE}"})
    assert "Bob approved the plan" in html
    assert "<script>alert" not in html
    again = text_of(desk.browser.press(f"{at}/approve"))
    assert re.search(r"Bob approved the plan \w+ already, at", again)
    end, html = desk.browser.press_on(f"{at}/apply")
    assert end.startswith("/runs/")
    assert "was applied, approved by Bob on" in html
    assert desk.held() == ["100.00", "200.00"]
    assert "nothing was begun" in desk.browser.press(f"{at}/apply")
    told = [(row.data["said"]["what"], row.data["by"]["name"]) for row in desk.rows(Event.APPROVAL)]
    assert told == [("asked", "Ada"), ("approved", "Bob"), ("used", "Bob")]


@pytest.mark.parametrize("desk", [ASKS], indirect=True)
def test_a_plan_is_refused_with_a_note_and_the_second_is_told(desk, monkeypatch):
    as_person(monkeypatch, "Ada")
    at = approval(desk)
    desk.browser.press(f"{at}/reject", {"note": "not this quarter"})
    as_person(monkeypatch, "Bob")
    html = desk.browser.press(f"{at}/approve")
    assert "Ada rejected the plan" in html
    assert "not this quarter" in html
    assert f'action="{at}/approve"' not in html


@pytest.mark.parametrize("desk", [ASKS], indirect=True)
def test_nothing_but_what_was_approved_is_applied(desk, monkeypatch):
    as_person(monkeypatch, "Ada")
    at = approval(desk)
    as_person(monkeypatch, "Bob")
    desk.browser.press(f"{at}/approve")
    desk.state("100.00", "999.00", "50.00")
    desk.browser.press(f"{at}/apply")
    assert desk.held() == ["100.00"]


@pytest.mark.parametrize("desk", ['approval = "over 10%"\n'], indirect=True)
def test_what_needs_no_approval_any_more_is_not_applied_in_place_of_what_was_approved(desk):
    (desk.folder / "copy.csv").write_text((desk.folder / "budgets.csv").read_text())
    desk.state("100.00", "300.00")
    at = approval(desk)
    desk.browser.press(f"{at}/approve")
    desk.state("100.00", "201.00")
    html = desk.browser.press(f"{at}/apply")
    assert "not approved" in html
    assert desk.held() == ["100.00", "200.00"]


@pytest.mark.parametrize("desk", [ASKS], indirect=True)
def test_whoever_sees_the_terminal_may_say_whose_yes_it_is_and_nobody_else(desk, monkeypatch):
    at = approval(desk)
    assert "asked for this plan" in desk.browser.press(f"{at}/approve")
    as_person(monkeypatch, desk.browser.workspace.store.author.user)
    assert "asked for this plan" in desk.browser.press(f"{at}/approve", {"name": "Carol"})
    monkeypatch.undo()
    assert "Carol approved the plan" in desk.browser.press(f"{at}/approve", {"name": "Carol"})


@pytest.mark.parametrize("desk", [ASKS], indirect=True)
def test_who_may_not_approve_sees_no_buttons_and_is_refused(desk, monkeypatch):
    at = approval(desk)
    as_person(monkeypatch, "Vera", may_approve=False)
    assert f'action="{at}/approve"' not in desk.browser.page(at)
    assert desk.browser.post(f"{at}/approve").status_code == 403
    assert desk.browser.post(f"{at}/reject").status_code == 403


@pytest.mark.parametrize("desk", [ASKS], indirect=True)
def test_what_was_taken_back_in_the_very_moment_is_not_applied(desk, monkeypatch):
    as_person(monkeypatch, "Ada")
    at = approval(desk)
    as_person(monkeypatch, "Bob")
    desk.browser.press(f"{at}/approve")
    later = []
    desk.browser.jobs._pool.submit = lambda do, *said: later.append((do, said))
    desk.browser.post(f"{at}/apply")
    desk.browser.press(f"{at}/reject", {"note": "wait"})
    for do, said in later:
        do(*said)
    assert desk.held() == []


def test_an_approval_that_is_not_there_is_told(desk):
    assert desk.browser.get("/approvals/abc").status_code == 404
    assert "there is no such plan" in desk.browser.press("/approvals/abc/approve")
    assert "there is no such plan" in desk.browser.press("/approvals/abc/apply")


# -- undo ----------------------------------------------------------------------------------------


def undo(desk, run_at):
    """Have the undo of a run shown; the id of its plan."""
    html = desk.browser.press(f"{run_at}/undo/make")
    found = re.search(r'name="plan_id" value="(\w+)"', html)
    return found and found[1]


def test_an_undo_is_shown_then_done_once_and_pauses_the_sync(desk, monkeypatch):
    as_person(monkeypatch, "Ada")
    desk.run()
    desk.state("100.00", "250.00")
    at = desk.run()
    assert desk.held() == ["100.00", "250.00"]
    plan_id = undo(desk, at)
    assert desk.held() == ["100.00", "250.00"]
    end, html = desk.browser.press_on(f"{at}/undo/do", {"plan_id": plan_id})
    assert end.startswith("/runs/")
    assert end != at
    assert "s is paused since" in text_of(html)
    assert 'action="/syncs/s/resume"' in html
    assert desk.held() == ["100.00", "200.00"]
    html = desk.browser.press(f"{at}/undo/do", {"plan_id": plan_id})
    assert "nothing was undone: the plan has gone stale" in text_of(html)
    assert [row.data["by"]["name"] for row in desk.rows(Event.PAUSE)] == ["Ada"]


def test_looking_at_an_undo_leaves_no_run_and_no_pause(desk):
    at = desk.run()
    runs = desk.browser.page("/runs").count('href="/runs/')
    assert undo(desk, at)
    assert desk.browser.page("/runs").count('href="/runs/') == runs
    assert "is paused" not in desk.browser.page("/")


def test_what_an_undo_cannot_take_back_is_told_first(desk):
    desk.run()
    desk.state("100.00", "250.00")
    at = desk.run()
    target = desk.folder / "copy.csv"
    target.write_text(target.read_text().replace("250.00", "275.00"))
    html = desk.browser.press(f"{at}/undo/make")
    first = html.index("What will not be as it was")
    assert "budget CC2 is not undone" in html[first:]
    assert 'action="' + f"{at}/undo/do" not in html


def test_an_undo_that_would_do_otherwise_by_now_does_nothing(desk):
    at = desk.run()
    plan_id = undo(desk, at)
    target = desk.folder / "copy.csv"
    target.write_text(target.read_text().replace("200.00", "275.00"))
    html = desk.browser.press(f"{at}/undo/do", {"plan_id": plan_id})
    assert "what it would do is otherwise by now than what was shown" in html
    assert desk.held() == ["100.00", "275.00"]


# -- faults --------------------------------------------------------------------------------------


def test_a_state_that_goes_away_while_a_plan_is_looked_at_is_told(desk):
    form = {"plan_id": desk.plan(), "form_token": desk.browser.form_token()}
    state = desk.folder / "trueup.db"
    shutil.copy(state, desk.folder / "kept.db")
    state.unlink()
    answer = desk.browser.ask("POST", "/plans/s/apply", data=form)
    assert answer.status_code == 503
    assert desk.held() == []
    shutil.copy(desk.folder / "kept.db", state)
    assert desk.apply(form["plan_id"])[0].startswith("/runs/")


def test_a_state_that_goes_away_in_the_middle_is_told_and_nothing_is_sent(desk, monkeypatch):
    plan_id, state, kept = desk.plan(), desk.folder / "trueup.db", desk.folder / "kept.db"
    apply = Workspace.apply

    def without_state(self, *said, **more):
        self.store.engine.dispose()
        state.rename(kept)
        return apply(self, *said, **more)

    monkeypatch.setattr(Workspace, "apply", without_state)
    answer = desk.browser.post("/plans/s/apply", {"plan_id": plan_id})
    assert answer.status_code == 303
    assert desk.browser.get("/doing/s").status_code == 503
    assert desk.browser.jobs.last("run", "s").error
    assert desk.held() == []
    monkeypatch.undo()
    kept.replace(state)
    assert "Nothing more is done" in desk.browser.page("/doing/s")
    assert desk.apply(plan_id)[0].startswith("/runs/")


def test_a_system_that_fails_is_told_on_the_page_that_follows(desk, monkeypatch):
    plan_id = desk.plan()

    def broken(self, *said, **more):
        raise OSError(f"gone {HOSTILE}")

    monkeypatch.setattr("trueup.workspace.Workspace.apply", broken)
    at, html = desk.apply(plan_id)
    assert at == "/doing/s"
    assert "Nothing more is done: OSError: gone" in html
    assert "<script>alert" not in html


def test_who_may_only_look_changes_nothing(desk, monkeypatch):
    at, plan_id = desk.run(), desk.plan()
    as_person(monkeypatch, "Vera", may_operate=False, may_approve=False)
    for path in ("/plans/s/make", "/plans/s/apply", "/syncs/s/pause", "/syncs/s/resume",
                 f"{at}/undo/make", f"{at}/undo/do"):  # fmt: skip
        assert desk.browser.post(path, {"plan_id": plan_id}).status_code == 403
        assert f'action="{path}"' not in desk.browser.page("/")
    for page in ("/", "/plans", "/plans/s", at, f"{at}/undo"):
        assert re.findall(r'method="post" action="([^"]+)"', desk.browser.page(page)) == ["/leave"]

"""Deciding in the pages: as the command line does it, once, by name, and the second is told."""

import re
from itertools import count

import pytest

from canonical.kind import Kind
from canonical.waiting import Rule, Waiting
from sync.state.audit import Audit, Event
from sync.state.decisions import Decided, Ruling
from sync.state.waits import DecidedAlready, Question, Waits
from sync.ways import Ways
from tests.unit.test_trueup.test_web.browsing import HOSTILE, browsing, folder_of
from tests.unit.test_trueup.test_web.test_pages import text_of
from trueup.web.person import Person

WAYS = ("source", "target", "VALUE")
SYNC = "erp-to-cards"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with browsing(folder_of(tmp_path_factory.mktemp("console"))) as browser:
        yield browser


@pytest.fixture(scope="module")
def store(browser):
    return browser.workspace.store


_refs = count()


@pytest.fixture
def ask(store):
    """Put a question into the queue; its number."""

    def ask(rule=Rule.DRIFT, ways=WAYS, sync=SYNC, **more):
        said = {
            "kind": Kind.BUDGET, "ref": f"CC{next(_refs)}", "name": "Travel", "field": "amount", "source": "100.00",
            "target": "120.00", "money": "20.00 USD", "reason": "edited", **more,
        }  # fmt: skip
        question = Question(waiting=Waiting(rule=rule, **said), ways=ways)
        with store.write() as connection:
            Waits(store).record(connection, sync, "run", [question], ())
        return Waits(store).queue().waits[-1].number

    return ask


def decided(store, number):
    answer = Waits(store).get([number])[number].answer
    return answer and (answer.take, answer.value, answer.by, answer.note)


def told(store):
    """The decisions in the audit, the newest first."""
    rows = Audit(store).rows()
    return [each for each in rows if each.kind == Event.DECISION]


def press(browser, number, way, **more):
    return browser.press("/waiting/decide", {"shown": f"{number}:0", "way": way, **more})


def test_a_button_decides_and_the_page_says_so(browser, store, ask):
    number = ask()
    said = text_of(press(browser, number, "word target", note="as agreed", sync=SYNC))
    assert f"{number} decided: budget Travel" in said
    assert f"the next run does it: trueup run {SYNC}" in said
    take, _, _, note = decided(store, number)
    assert (take, note) == ("target", "as agreed")


def test_what_was_said_is_said_once(browser, ask):
    assert "decided: budget" in press(browser, ask(), "word source")
    assert 'class="done"' not in browser.page("/waiting")


def test_a_value_is_typed_and_checked_as_the_command_line_checks_it(browser, store, ask):
    number = ask()
    said = text_of(press(browser, number, "typed", value="1,000"))
    assert "nothing was decided" in said
    assert decided(store, number) is None
    press(browser, number, "typed", value="110.50")
    assert decided(store, number)[:2] == ("value", "110.50")


@pytest.mark.parametrize("way", ["word applied", "word ", "", "typed", "word VALUE", HOSTILE])
def test_a_word_that_is_no_way_out_decides_nothing(browser, store, ask, way):
    number = ask()
    html = press(browser, number, way)
    assert "nothing was decided" in html
    assert "<script>alert" not in html
    assert decided(store, number) is None


def test_several_take_one_word_all_or_none(browser, store, ask):
    one, two, other = ask(), ask(), ask(rule=Rule.MATCH, ways=("b-7", "none"), field=None)
    ticked = {"way": "word source", "shown": [f"{each}:0" for each in (one, two, other)]}
    assert f"{other} (match)" in browser.press("/waiting/decide", ticked)
    assert decided(store, one) is None
    browser.press("/waiting/decide", {**ticked, "shown": ticked["shown"][:2]})
    assert [decided(store, each)[0] for each in (one, two)] == ["source", "source"]


def test_nothing_ticked_is_told(browser):
    said = browser.press("/waiting/decide", {"way": "word source"})
    assert "nothing is ticked" in said


def test_of_two_who_decide_the_second_is_told_who_decided_what(browser, store, ask, monkeypatch):
    number = ask()
    as_person(monkeypatch, "Ada")
    press(browser, number, "word source")
    as_person(monkeypatch, "Bob")
    said = text_of(press(browser, number, "word target"))
    assert re.search(
        rf"{number} was decided already: .* source by Ada at .*; what you pressed changed nothing",
        said,
    )
    assert decided(store, number)[:3] == ("source", None, "Ada")


def test_a_double_click_decides_once(browser, store, ask):
    number, before = ask(), len(told(store))
    press(browser, number, "word source")
    press(browser, number, "word source")
    assert len(told(store)) == before + 1


def test_who_saw_the_decision_may_decide_otherwise(browser, store, ask):
    number = ask()
    html = press(browser, number, "word source")
    shown = re.search(rf'name="shown" value="({number}:[1-9]\d*)"', html)[1]
    browser.press("/waiting/decide", {"shown": shown, "way": "word target"})
    assert decided(store, number)[0] == "target"


def test_of_two_at_the_very_same_moment_one_is_refused(store, ask):
    number = ask()
    wait = Waits(store).get([number])[number]
    ruling = Ways(store).ruling(wait, "source")
    Decided(store).decide([ruling], first=True)
    with pytest.raises(DecidedAlready):
        Decided(store).decide([Ruling(wait=wait, take=ruling.take)], first=True)


def test_what_a_run_did_meanwhile_is_told_with_who_decided_it(browser, store, ask, monkeypatch):
    number = ask()
    as_person(monkeypatch, "Ada")
    press(browser, number, "word source")
    with store.write() as connection:
        Waits(store).close(connection, [number])
    said = text_of(press(browser, number, "word target"))
    assert f"nothing waits as {number}" in said
    assert "source by Ada" in said


def test_a_decision_is_in_the_audit_by_the_persons_name(browser, store, ask, monkeypatch):
    as_person(monkeypatch, HOSTILE)
    html = press(browser, ask(), "word source")
    assert "<script>alert" not in html
    assert any(row.data["by"]["name"] == HOSTILE for row in told(store))


def test_who_may_only_look_sees_no_buttons_and_decides_nothing(browser, store, ask, monkeypatch):
    number = ask()
    as_person(monkeypatch, "Vera", may_operate=False)
    assert 'action="/waiting/decide"' not in browser.page("/waiting")
    answer = browser.post("/waiting/decide", {"shown": f"{number}:0", "way": "word source"})
    assert answer.status_code == 403
    assert decided(store, number) is None


def test_the_page_goes_back_to_where_the_form_stood_and_nowhere_else(browser, ask):
    form = {"shown": f"{ask()}:0", "way": "word source"}
    answer = browser.post("/waiting/decide", {**form, "sync": SYNC, "page": "2"})
    assert answer.headers["location"] == f"/waiting?sync={SYNC}&page=2"
    answer = browser.post("/waiting/decide", {**form, "sync": "//elsewhere", "page": "x"})
    assert answer.headers["location"] == "/waiting"


def test_what_is_not_decided_by_a_word_leads_to_where_it_is(browser, ask):
    ask(Rule.GUARD, ("trueup approve abc123", "trueup run erp-to-cards --allow max_money=9%"))
    ask(Rule.MATCH, ("none", "trueup handover erp-to-cards --from x CC1"), field=None)
    html = browser.page("/waiting")
    assert 'href="/approvals/abc123"' in html
    assert f'href="/plans/{SYNC}"' in html
    assert "<code>trueup handover erp-to-cards --from x CC1</code>" in html


def as_person(monkeypatch, name, may_operate=True, may_approve=True):
    """Whoever presses from now on is that person."""
    person = Person(name, may_operate, may_approve)
    monkeypatch.setattr("trueup.web.person.Person.here", lambda: person)

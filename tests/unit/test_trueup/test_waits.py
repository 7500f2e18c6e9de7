"""What waits for a decision, as a plan, its pages and its data tell it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from rich.console import Console as Terminal

from canonical.change import Change, Plan
from canonical.kind import Kind, Op
from canonical.side import Side
from canonical.waiting import Rule, Waiting
from sync.state.waits import Question, Wait
from trueup.console import Console
from trueup.plan_pages import Form, page
from trueup.waiting import wait_lines
from trueup.waits import SHOWN, of_report, wait, waits

AMOUNT = Waiting(
    rule=Rule.CONFLICT,
    reason="both sides moved it",
    kind=Kind.BUDGET,
    ref="HR",
    name="Human Resources",
    field="amount",
    source="12000.00",
    target="15000.50",
    agreed="10000.00",
    money="15000.50 USD",
)
REMOVED = Waiting(
    rule=Rule.REMOVED,
    reason="the source dropped it, and the target changed it since both last agreed",
    kind=Kind.ALLOCATION,
    ref="a-1",
    budget_ref="HR",
    name="user:ada",
    target=(("amount", "15.00"),),
    money="15.00 USD",
)


def plan(*found, **said):
    return Plan(
        plan_id="p",
        sync="s",
        source="erp",
        target="cards",
        as_of=date(2026, 3, 10),
        waits=found,
        **said,
    )


def printed(what):
    out = Terminal(file=StringIO(), width=200)
    Console(out, out).plan(what)
    return out.file.getvalue()


def test_both_values_and_what_last_agreed_are_told():
    assert wait(AMOUNT) == (
        "budget HR Human Resources: amount: source 12,000.00 USD, target 15,000.50 USD, "
        "last agreed 10,000.00 USD; both sides moved it"
    )


def test_what_was_removed_is_told_with_what_the_other_side_changed():
    assert wait(REMOVED) == (
        "allocation a-1 user:ada of HR (15.00 USD): the source dropped it, and the target changed "
        "it since both last agreed: amount 15.00"
    )


def test_what_hangs_on_it_has_thousands_apart_in_a_plan_and_in_the_queue():
    much = replace(REMOVED, money="1015.00 USD")
    since = datetime(2026, 3, 1, tzinfo=UTC)
    asked = Wait(number=7, sync="s", since=since, run_id="r", question=Question(waiting=much))
    assert "(1,015.00 USD)" in wait(much)
    assert "(1,015.00 USD)" in next(wait_lines(asked, since))


def test_a_plan_says_what_waits_and_counts_it():
    said = printed(plan(AMOUNT))

    assert wait(AMOUNT) in said
    assert "1 waiting for a decision" in said
    assert "Nothing to do" not in said


@pytest.mark.parametrize("form", [Form.MARKDOWN, Form.HTML])
def test_the_pages_say_it_too(form):
    said = page(form, plan(AMOUNT))

    assert "What waits for a decision" in said
    assert "15,000.50 USD" in said


def test_of_many_the_first_are_named_and_all_where_they_are_asked_for():
    many = [AMOUNT] * (SHOWN + 5)

    assert [*waits(many)][-1] == "… and 5 more wait for a decision"
    assert len([*waits(many, whole=True)]) == SHOWN + 5


def test_a_plan_is_read_back_with_what_waits():
    assert Plan.load(plan(AMOUNT, REMOVED).save()).waits == (AMOUNT, REMOVED)


def test_a_report_tells_it_in_the_same_words():
    (kept,) = plan(REMOVED).to_data()["waits"]

    assert of_report(kept) == wait(REMOVED)


@pytest.mark.parametrize(("side", "where"), [(Side.SOURCE, "in erp"), (Side.TARGET, "in cards")])
def test_each_change_says_in_which_system_it_is_made_where_it_may_be_either(side, where):
    change = Change(op=Op.UPDATE, kind=Kind.BUDGET, ref="A", side=side, fields={"name": ("A", "B")})
    two = {"fields": "default = either"}

    assert where in printed(plan(changes=(change,), bound_to=two))
    data = plan(changes=(change,)).to_data()
    assert data["changes"][0]["side"] == side.value


def test_a_mirror_does_not_say_where():
    change = Change(op=Op.UPDATE, kind=Kind.BUDGET, ref="A", fields={"name": ("A", "B")})

    assert "in cards" not in printed(plan(changes=(change,)))


def test_each_sides_amount_is_told_in_its_own_currency():
    beside = (("currency", "EUR", "USD"), ("cadence", "monthly", "monthly"))
    said = wait(replace(AMOUNT, beside=beside))
    assert "source 12,000.00 EUR, target 15,000.50 USD, last agreed 10000.00;" in said

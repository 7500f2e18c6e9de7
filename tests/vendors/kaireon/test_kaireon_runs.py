"""Whole runs into Kaireon: they end in agreement, stay there, and follow the calendar."""

import pytest
from msgspec.structs import replace

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.kind import Op
from canonical.loss import Effect
from tests.vendors.kaireon.stated import budget, phase, share, told, usd

KINDS = {
    "a year": budget(end="2026-12-31"),
    "an open end": budget(end=None),
    "no start": budget(start=None),
    "no start, an open end": budget(start=None, end=None),
    "cut periods": budget(start="2026-03-10", end="2026-06-15"),
    "a start beyond the horizon": budget(start="2027-09-01", end=None),
    "an end before the start": budget(start="2026-06-01", end="2026-03-31"),
    "passed": budget(start="2025-01-01", end="2025-06-30"),
    "no start, passed": budget(start=None, end="2025-06-30"),
    "weeks": budget(cadence="weekly", start="2026-03-04", end="2026-05-02"),
    "quarters": budget(cadence="quarterly", start="2026-01-01", end=None),
    "years": budget(cadence="yearly", start="2026-01-01", end=None, amount="1000.01"),
    "parts of a cent": budget(amount="10.005"),
    "parts of a cent a year": budget(
        cadence="yearly", start="2026-01-01", end="2026-12-31", amount="10.005"
    ),
    "once, an open end": budget(cadence="once", end=None),
    "phases": budget(
        phases=(phase("2026-03-01", "2026-04-30", 1), phase("2026-05-01", "2026-05-31", 2))
    ),
    "phases with a gap": budget(
        phases=(phase("2026-03-01", "2026-03-31", 1), phase("2026-05-01", "2026-05-31", 1))
    ),
    "phases ahead": budget(
        start="2026-05-01",
        end="2026-06-30",
        phases=(phase("2026-05-01", "2026-05-31", 1), phase("2026-06-01", "2026-06-30", 2)),
    ),
    "nothing": budget(amount=0),
    "a count": budget(amount=Amount.of(500, "impressions")),
    "a count beside money": budget(limits=(Amount.of(9, "conversions"),)),
    "money beside money": budget(limits=(usd(9),)),
    "money beside a count": budget(amount=Amount.of(500, "conversions"), limits=(usd(9),)),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("stated", KINDS.values(), ids=KINDS)
def test_every_budget_agrees_at_once_and_as_time_passes(mirror, stated):
    stated = replace(stated, allocations=(share("A"),))
    for today in ("2026-03-18", "2026-04-01", "2026-07-31", "2027-03-02"):
        report, _ = mirror(stated, on=today)
        blocked = any(each.op is Op.BLOCKED for each in report.plan.changes)
        assert (report.verified, report.error) == (not blocked, None)
        assert mirror(stated)[1] == []


@pytest.mark.parametrize("end", [None, "2026-12-31"])
def test_without_a_start_an_amount_counts_throughout(mirror, tenant, end):
    stated = budget(start=None, end=end, allocations=(share("A"),))
    assert mirror(stated, on="2026-03-18")[0].verified
    more = replace(stated, amount=usd(70), allocations=(share("A", amount=30),))
    assert mirror(more, on="2026-07-02")[0].verified
    assert mirror(more)[1] == []
    assert {row["maxSpend"] for row in tenant.rows()} == {70, 30}


def test_months_in_which_nothing_ran_are_made_up_for(mirror, tenant):
    stated = budget(start=None, end=None)
    mirror(stated, on="2026-03-18")
    assert mirror(stated, on="2028-03-18")[0].verified
    assert mirror(stated)[1] == []
    assert len(tenant.rows()) == 37


def test_a_plan_says_which_of_two_budgets_of_one_name_cannot_be_made(mirror, tenant):
    twins = budget("A", name="Travel", amount=1), budget("B", name="Travel", amount=2)
    report, _ = mirror(*twins)
    ops = {change.ref: change.op for change in report.plan.changes}
    assert ops == {"A": Op.CREATE, "B": Op.BLOCKED}
    assert {amount for _, _, amount in told(tenant)} == {1}
    assert mirror(*twins)[1] == []


def test_a_plan_says_which_of_two_shares_for_one_entity_cannot_be_made(mirror):
    stated = budget(allocations=(share("A1"), share("A2", amount=7)))
    report, _ = mirror(stated)
    ops = {change.ref: change.op for change in report.plan.changes}
    assert (ops["A1"], ops["A2"]) == (Op.CREATE, Op.BLOCKED)
    assert mirror(stated)[0].plan.pending == ()


def blocked(change):
    return {loss.field for loss in change.losses if loss.effect is Effect.BLOCKED}


def test_limits_that_kaireon_states_are_blocked_before_anything_is_sent(mirror):
    long = budget("A", name="x" * 256)
    much = budget("B", amount="90071992547409.93")
    counted = budget("C", amount=Amount.of(2**53 + 1, "impressions"))
    report, sent = mirror(long, much, counted)
    changes = {change.ref: change for change in report.plan.changes}
    assert {each.op for each in changes.values()} == {Op.BLOCKED}
    assert {ref: blocked(each) for ref, each in changes.items()} == {
        "A": {"name"}, "B": {"amount", "phases"}, "C": {"amount", "phases"},
    }  # fmt: skip
    assert sent == []


def test_a_name_that_grows_too_long_stays_as_it_is_and_is_told_in_every_run(mirror, tenant):
    mirror(budget())
    longer = budget(name="x" * 256, amount=7)
    assert mirror(longer)[1] == ["PUT", "PUT", "PUT"]
    assert {name for name, _, _ in told(tenant)} == {"Name B"}
    (change,) = mirror.planned().changes
    assert (change.op, blocked(change)) == (Op.BLOCKED, {"name"})
    assert mirror(budget(amount=7))[0].verified


def test_what_is_switched_off_does_not_keep_its_name_from_another(mirror):
    off = budget("A", name="Travel", status=Status.INACTIVE)
    report, _ = mirror(off, budget("B", name="Travel"))
    ops = {change.ref: change.op for change in report.plan.changes}
    assert ops == {"A": Op.BLOCKED, "B": Op.CREATE}


@pytest.mark.parametrize("scope", ["global", "channel"])
@pytest.mark.parametrize(
    "edit",
    [
        {"periodType": "daily", "periodKey": "2026-03-05"},
        {"periodKey": "2026-12"},
        {"name": "Other"},
        {"maxSpend": 7},
    ],
)
def test_an_edit_of_the_oldest_row_is_put_back_and_nothing_is_doubled(mirror, tenant, scope, edit):
    stated = budget(allocations=(share("A"),))
    mirror(stated)
    before = told(tenant)
    oldest = [row["id"] for row in tenant.rows() if row["scope"] == scope][-1]
    tenant.edit(oldest, **edit)
    assert mirror(stated)[0].verified
    assert told(tenant) == before


def test_a_share_whose_rows_were_all_given_another_name_is_brought_back(mirror, tenant):
    stated = budget(allocations=(share("A"),))
    mirror(stated)
    before = told(tenant)
    for row in tenant.rows():
        if row["scope"] == "channel":
            tenant.edit(row["id"], name="Other")
    assert mirror(stated)[0].verified
    assert told(tenant) == before

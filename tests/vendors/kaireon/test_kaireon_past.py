"""Periods that are long over: not written, told, and left as they are where they stand."""

from msgspec.structs import replace

from tests.vendors.kaireon.stated import budget, phase, share, told

AGO, NEVER = "0001-01-01", "9999-12-31"


def keys(tenant):
    return sorted({row["periodKey"] for row in tenant.rows()})


def losses(report):
    return {loss.name for change in report.plan.changes for loss in change.losses}


def test_a_start_of_long_ago_is_written_from_a_year_back_on_and_told(mirror):
    stated = budget(start=AGO, allocations=(share("A"),))
    report, methods = mirror(stated)
    assert report.verified
    assert keys(mirror.tenant)[0] == "2025-03"
    assert len(methods) == 2 * 15
    assert "emulated:start" in losses(report)


def test_an_end_that_never_comes_is_written_up_to_the_horizon(mirror):
    stated = budget(cadence="yearly", start="2026-01-01", end=NEVER, amount=1200)
    report, _ = mirror(stated, budget("C"))
    assert report.verified
    assert keys(mirror.tenant)[-1] == "2027-Q4"


def test_rows_that_grow_old_stay_as_they_are(mirror):
    stated = budget(start="2026-01-01", end=None, allocations=(share("A"),))
    mirror(stated)
    for day in ("2026-12-31", "2027-02-01", "2028-03-01"):
        report, _ = mirror(on=day)
        assert report.verified
        assert mirror.planned().changes == ()
    assert keys(mirror.tenant)[0] == "2026-01"


def test_a_new_amount_is_not_said_of_what_is_long_over(mirror):
    mirror(budget(start="2026-01-01", end=None))
    mirror(budget(start="2026-01-01", end=None, amount=300, name="New"), on="2028-03-01")
    rows = {key: (name, amount) for name, key, amount in told(mirror.tenant)}
    assert rows["2026-01"] == ("New", 100)
    assert rows["2027-03"] == ("New", 300)
    assert mirror.verified().agree


def test_a_start_that_moves_forward_takes_only_rows_before_it(mirror):
    mirror(budget(start="2026-01-01", end=None))
    report, _ = mirror(budget(start="2026-06-01", end=None), on="2028-03-01")
    assert report.verified
    assert keys(mirror.tenant)[0] == "2026-06"


def test_what_is_found_there_of_long_ago_is_ours_again(mirror):
    mirror(budget(start="2026-01-01", end=None))
    mirror.forget()
    report, _ = mirror(on="2028-03-01")
    assert report.verified
    assert not report.plan.problems
    assert keys(mirror.tenant)[0] == "2026-01"


def test_phases_of_long_ago_are_not_written(mirror):
    stated = budget(
        start="2020-01-01",
        end="2026-12-31",
        phases=(
            phase("2020-01-01", "2025-12-31", 100),
            phase("2026-01-01", "2026-12-31", 200),
        ),
    )
    report, _ = mirror(stated)
    assert report.verified
    rows = {key: amount for _, key, amount in told(mirror.tenant)}
    assert (min(rows), rows["2025-12"], rows["2026-01"]) == ("2025-03", 100, 200)


def test_a_budget_that_is_long_over_has_its_last_period(mirror):
    report, _ = mirror(budget(start="2019-01-01", end="2020-06-30"))
    assert report.verified
    assert keys(mirror.tenant) == ["2020-06"]


def test_more_of_the_past_is_written_when_asked_for(mirror):
    mirror.spec = {"past_months": 60}
    mirror(replace(budget(start=AGO), name="Old"))
    assert keys(mirror.tenant)[0] == "2021-03"

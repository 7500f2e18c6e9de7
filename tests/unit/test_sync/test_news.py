"""What a run is told as, and that only a change is told."""

import pytest

from canonical.kind import Kind, Op
from sync.news import Event, Standing, Told, news, standing
from sync.outcome import Done, Outcome
from sync.report import Report

BAD = [each for each in Standing if not each.is_good]


def _report(outcome: Outcome = Outcome.OK, waiting: int = 0, *became: str) -> Report:
    operations = [Done(Op.UPDATE, Kind.BUDGET, "b", None, "1", each) for each in became]
    return Report(run_id="r1", sync="s", outcome=outcome, waiting=waiting, operations=operations)


@pytest.mark.parametrize(
    ("report", "stands"),
    [
        (_report(Outcome.OK, 0, "applied"), Standing.GOOD),
        (_report(Outcome.FAILED, 2), Standing.FAILED),
        (_report(Outcome.PARTIAL, 2), Standing.WAITS),
        (_report(Outcome.PARTIAL, 2, "rejected"), Standing.FAILED),
        (_report(Outcome.PARTIAL, 0, "uncertain"), Standing.FAILED),
        (_report(Outcome.PARTIAL, 0, "applied", "deferred"), None),
        (_report(Outcome.PARTIAL, 0, "applied", "skipped"), None),
        (_report(Outcome.ABORTED), None),
    ],
)
def test_a_run_stands_as_the_most_pressing_thing_about_it(
    report: Report, stands: Standing | None
) -> None:
    assert standing(report) is stands


@pytest.mark.parametrize("stands", Standing)
def test_what_stands_as_before_is_not_told_again(stands: Standing) -> None:
    assert news(Told(stands), Told(stands)) is None


def test_a_first_good_run_is_no_news_and_a_first_bad_one_is() -> None:
    assert news(Told(), Told(Standing.GOOD)) is None
    assert news(Told(), Told(Standing.GUARD)) is Event.GUARD


@pytest.mark.parametrize("before", BAD)
def test_a_good_run_after_a_bad_one_is_told_as_recovered(before: Standing) -> None:
    assert news(Told(before), Told(before).after(Standing.GOOD)) is Event.RECOVERED


@pytest.mark.parametrize("stands", BAD)
def test_a_good_run_stays_overdue_over_bad_ones(stands: Standing) -> None:
    late = Told(Standing.GOOD).late()
    assert late.after(stands) == Told(stands, overdue=True)
    assert late.after(Standing.GOOD) == Told(Standing.GOOD)


def test_edits_that_are_put_back_are_told_once_and_a_run_without_any_is_no_news() -> None:
    good, drift = Told(Standing.GOOD), Told(Standing.DRIFT)
    assert news(good, good.after(Standing.DRIFT)) is Event.DRIFT
    assert news(drift, drift.after(Standing.DRIFT)) is None
    assert news(drift, drift.after(Standing.GOOD)) is None
    assert news(drift.late(), drift.late().after(Standing.DRIFT)) is Event.RECOVERED

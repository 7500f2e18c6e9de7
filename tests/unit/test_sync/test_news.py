"""What a run is told as, and that only a change is told."""

import pytest

from sync.news import Event, Standing, news, standing
from sync.outcome import Outcome
from sync.report import Report


def _report(outcome: Outcome = Outcome.OK, waiting: int = 0) -> Report:
    return Report(run_id="r1", sync="s", outcome=outcome, waiting=waiting)


@pytest.mark.parametrize(
    ("report", "stands"),
    [
        (_report(), Standing.GOOD),
        (_report(Outcome.FAILED, waiting=2), Standing.FAILED),
        (_report(Outcome.PARTIAL, waiting=2), Standing.WAITS),
        (_report(Outcome.PARTIAL), Standing.FAILED),
    ],
)
def test_a_run_stands_as_the_most_pressing_thing_about_it(report: Report, stands: Standing) -> None:
    assert standing(report) is stands


@pytest.mark.parametrize("stands", Standing)
def test_what_stands_as_before_is_not_told_again(stands: Standing) -> None:
    assert news(stands, stands) is None


def test_a_first_good_run_is_no_news_and_a_first_bad_one_is() -> None:
    assert news(None, Standing.GOOD) is None
    assert news(None, Standing.GUARD) is Event.GUARD


@pytest.mark.parametrize("before", [each for each in Standing if each is not Standing.GOOD])
def test_a_good_run_after_a_bad_one_is_told_as_recovered(before: Standing) -> None:
    assert news(before, Standing.GOOD) is Event.RECOVERED

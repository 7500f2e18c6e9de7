import os
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sync.localtime import LocalTime

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(params=["Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"])
def berlin(request):
    """The machine's zone for one test, named and as a POSIX rule."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield LocalTime()
    time.tzset()


def test_local_time_is_that_of_the_zone_all_year_round(berlin):
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    while moment.year == 2026:
        ours, theirs = moment.astimezone(berlin), moment.astimezone(BERLIN)
        assert (ours.replace(tzinfo=None), ours.fold) == (theirs.replace(tzinfo=None), theirs.fold)
        assert ours.utcoffset() == theirs.utcoffset()
        assert ours.timestamp() == moment.timestamp()
        moment += timedelta(minutes=30)


@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_spring_leaves_out_is_read_as_by_the_zone(berlin, fold):
    ours, theirs = (
        datetime(2026, 3, 29, 2, 30, fold=fold, tzinfo=zone) for zone in (berlin, BERLIN)
    )
    assert ours.utcoffset() == theirs.utcoffset()


@pytest.mark.parametrize("zone", ["Nowhere/Nothing", "", ":", "\udcff", "CET-1CEST,rubbish"])
def test_a_zone_that_nobody_knows_still_tells_some_time(zone):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        assert datetime.now(UTC).astimezone(LocalTime()).utcoffset() is not None
    time.tzset()
    assert os.environ.get("TZ") != zone

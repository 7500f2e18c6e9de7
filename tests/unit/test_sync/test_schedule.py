import subprocess
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sync.schedule import parse_schedule

MOMENT = datetime(2026, 3, 4, 10, 7, 30, tzinfo=UTC)  # a Wednesday


def following(text, count=1, moment=MOMENT):
    """The next slots in UTC, as text."""
    schedule, found = parse_schedule(text, UTC), []
    for _ in range(count):
        moment = schedule.following(moment.replace(microsecond=1))
        found.append(f"{moment:%a %m-%d %H:%M}")
    return found


def test_cron_means_what_it_always_did():
    assert following("*/15 * * * *", 2) == ["Wed 03-04 10:15", "Wed 03-04 10:30"]
    assert following("30 6 1 * *") == ["Wed 04-01 06:30"]


@pytest.mark.parametrize("day", ["0", "7", "sun", "SUNDAY"])
def test_sunday_is_0_and_7_and_its_name(day):
    assert following(f"0 9 * * {day}") == ["Sun 03-08 09:00"]


def test_one_is_monday():
    assert following("0 9 * * 1") == ["Mon 03-09 09:00"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("1-5", ["Thu", "Fri", "Mon", "Tue"]),
        ("5-7", ["Fri", "Sat", "Sun", "Fri"]),
        ("0-2", ["Sun", "Mon", "Tue", "Sun"]),
        ("fri-mon", ["Fri", "Sat", "Sun", "Mon"]),
        ("*/2", ["Thu", "Sat", "Sun", "Tue"]),
        ("1,3", ["Mon", "Wed", "Mon", "Wed"]),
    ],
)
def test_lists_ranges_and_steps_of_weekdays(days, expected):
    after_noon = MOMENT.replace(hour=13)
    assert [slot[:3] for slot in following(f"0 9 * * {days}", 4, after_noon)] == expected


def test_day_of_month_and_weekday_together_mean_either():
    assert following("0 0 13 * 5", 3) == ["Fri 03-06 00:00", "Fri 03-13 00:00", "Fri 03-20 00:00"]
    assert following("0 0 12 * 5", 3) == ["Fri 03-06 00:00", "Thu 03-12 00:00", "Fri 03-13 00:00"]


@pytest.mark.parametrize(
    ("text", "slot"),
    [("@hourly", "Wed 03-04 11:00"), ("@daily", "Thu 03-05 00:00"), ("@weekly", "Sun 03-08 00:00"),
     ("@monthly", "Wed 04-01 00:00"), ("@yearly", "Fri 01-01 00:00")],
)  # fmt: skip
def test_macros_are_short_for_fields(text, slot):
    assert following(text) == [slot]


@pytest.mark.parametrize(
    "text", ["every 15 minutes", "every minute", "Every  2 Hours", "every 1 day"]
)
def test_an_interval_begins_at_once(text):
    assert parse_schedule(text).at_once


def test_a_cron_schedule_waits_for_its_slot():
    assert not parse_schedule("* * * * *").at_once


@pytest.mark.parametrize(
    "text",
    ["", "every", "every 0 minutes", "every -1 hours", "every 15 fortnights", "* * * *", "* * * * * *",
     "61 * * * *", "* 24 * * *", "* * 32 * *", "* * * 13 *", "* * * * 8", "* * * * noday", "@often",
     "*/0 * * * *", "a * * * *", "* * * * */x", "* * * * 1-"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_one_that_is(text):
    with pytest.raises(ValueError, match=r"is not a schedule such as"):
        parse_schedule(text)


def test_who_has_no_schedule_does_not_load_the_clock():
    code = "import sys, sync.schedule; sys.exit('apscheduler' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("text", ["0 2 30 2 *", "0 0 31 4,6,9,11 *"])
def test_a_schedule_that_never_comes_is_refused(text):
    with pytest.raises(ValueError, match="never comes"):
        parse_schedule(text)


def test_a_leap_day_comes():
    assert following("0 2 29 2 *") == ["Tue 02-29 02:00"]


@pytest.mark.parametrize("count", ["367", "99999999999", "9" * 5000])
def test_an_interval_longer_than_a_year_is_refused(count):
    with pytest.raises(ValueError, match="longer than a year"):
        parse_schedule(f"every {count} days")


BERLIN = ZoneInfo("Europe/Berlin")


def slots(text, start, count, **more):
    """The names of the next slots in Berlin, each with the UTC time at which it is due."""
    schedule, moment, found = (
        parse_schedule(text, BERLIN, **more),
        datetime.fromisoformat(start),
        [],
    )
    for _ in range(count):
        slot = schedule.slot(moment)
        found.append(f"{slot.name[8:]} at {slot.due.astimezone(UTC):%d %H:%M}")
        moment = slot.at
    return found


def test_in_autumn_a_slot_of_a_fixed_hour_comes_once():
    told = slots("30 2 * * *", "2026-10-24T12:00+00:00", 2)
    assert told == ["25T02:30 at 25 00:30", "26T02:30 at 26 01:30"]


def test_in_autumn_a_slot_of_every_hour_comes_in_both():
    told = slots("30 * * * *", "2026-10-25T00:00+00:00", 3)
    assert told == ["25T02:30 at 25 00:30", "25T02:30 again at 25 01:30", "25T03:30 at 25 02:30"]


def test_in_spring_a_slot_of_the_hour_left_out_comes_when_that_is_over():
    told = slots("30 2 * * *", "2026-03-28T12:00+00:00", 2)
    assert told == ["29T02:30 at 29 01:00", "30T02:30 at 30 00:30"]


def test_in_spring_slots_of_every_hour_go_on():
    told = slots("30 * * * *", "2026-03-29T00:00+00:00", 3)
    assert told == ["29T01:30 at 29 00:30", "29T03:30 at 29 01:30", "29T04:30 at 29 02:30"]


def test_a_slot_in_a_blackout_is_due_when_that_ends():
    told = slots("0 */8 * * *", "2026-03-06T12:00+00:00", 3, blackout=["22:00-06:00", "sat"])
    assert told == [
        "06T16:00 at 06 15:00", "07T00:00 at 08 05:00", "07T08:00 at 08 05:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "windows"),
    [("0 23 * * *", ["22:00-06:00"]), ("0 9 * * 6", ["sat,sun"]), ("every 5 minutes", ["mon-sun"])],
)
def test_a_schedule_that_comes_only_within_its_blackout_is_refused(text, windows):
    with pytest.raises(ValueError, match="never comes outside of its blackout"):
        parse_schedule(text, BERLIN, blackout=windows)


@pytest.mark.parametrize(
    "window", ["", "25:00-06:00", "22:00", "2026-12-31..2026-12-24", "someday"]
)
def test_what_is_no_window_is_refused(window):
    with pytest.raises(ValueError, match=r"is no window such as|ends before it begins"):
        parse_schedule("@daily", blackout=[window])


def test_jitter_is_the_same_for_one_slot_and_differs_between_syncs():
    def late(sync):
        schedule = parse_schedule("@daily", UTC, sync=sync, jitter=3600)
        slot = schedule.slot(MOMENT)
        return (slot.due - slot.at).total_seconds()

    assert late("a") == late("a") != late("b")
    assert 0 <= late("a") <= 3600


@pytest.mark.parametrize(
    ("text", "more", "by"),
    [
        ("every 1 hour", {}, "12:07"),
        ("0 * * * *", {}, "12:00"),
        ("0 * * * *", {"blackout": ["11:30-13:00"]}, "13:00"),
        ("every 1 hour", {"blackout": ["11:30-13:00"]}, "13:00"),
    ],
)
def test_twice_an_interval_is_over_when_two_more_slots_should_have_been_run(text, more, by):
    assert f"{parse_schedule(text, UTC, **more).twice_after(MOMENT):%H:%M}" == by

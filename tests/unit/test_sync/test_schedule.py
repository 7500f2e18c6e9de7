import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Event, Thread

import pytest

from sync.schedule import Clock, Scheduler, WorkerDied, parse_schedule

MOMENT = datetime(2026, 3, 4, 10, 7, 30, tzinfo=UTC)  # a Wednesday


def following(text, count=1, moment=MOMENT):
    """The next slots in UTC, as text."""
    schedule, found = parse_schedule(text), []
    for trigger in schedule.triggers:
        if hasattr(trigger, "timezone"):
            trigger.timezone = UTC
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


def served(schedules, run, stop):
    scheduler = Scheduler(
        {name: parse_schedule(text) for name, text in schedules.items()}, run, stop
    )
    thread = Thread(target=scheduler.serve)
    thread.start()
    return thread


def test_intervals_run_at_once_and_cron_does_not():
    ran, done, stop = [], Event(), Event()

    def run(name):
        ran.append(name)
        done.set()

    thread = served({"often": "every 1 day", "yearly": "@yearly"}, run, stop)
    assert done.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert ran == ["often"]


def test_what_is_in_hand_is_finished_before_the_service_ends():
    begun, go_on, stop, finished = Event(), Event(), Event(), []

    def run(name):
        begun.set()
        go_on.wait(10)
        finished.append(name)

    thread = served({"slow": "every 1 day"}, run, stop)
    assert begun.wait(10)
    stop.set()
    thread.join(0.05)
    assert thread.is_alive()
    go_on.set()
    thread.join(10)
    assert finished == ["slow"]


def test_one_slow_sync_holds_up_no_other():
    go_on, stop, other = Event(), Event(), Event()

    def run(name):
        if name == "slow":
            go_on.wait(10)
        else:
            other.set()

    thread = served({"slow": "every 1 day", "quick": "every 1 day"}, run, stop)
    assert other.wait(10)
    stop.set()
    go_on.set()
    thread.join(10)


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


class Hands:
    """A clock whose waits take no time; `ticks` says when it ends the service."""

    def __init__(self, stop, ticks):
        self.stop, self.left = stop, ticks
        self.date, self.seconds = MOMENT, 0.0
        self.jumps = {}
        self.clock = Clock(now=lambda: self.date, monotonic=lambda: self.seconds, wait=self.wait)

    def wait(self, seconds):
        self.left -= 1
        self.seconds += seconds
        self.date += timedelta(seconds=seconds) + self.jumps.pop(self.left, timedelta())
        if self.left <= 0:
            self.stop.set()


def slots_of(text, ticks, **jumps):
    """When, in seconds that passed, a schedule ran until the clock had been waited for so often."""
    stop, ran = Event(), []
    hands = Hands(stop, ticks)
    hands.jumps = jumps.get("jumps", {})
    schedules = {"sync": parse_schedule(text)}
    Scheduler(schedules, lambda name: ran.append(hands.seconds), stop, hands.clock).serve()
    return ran


def test_an_interval_counts_seconds_whatever_the_clock_says():
    back = slots_of("every 20 seconds", 6, jumps={4: timedelta(days=-3), 2: timedelta(days=400)})
    assert back == [0, 20, 40, 60, 80, 100]


def test_a_clock_that_is_set_back_says_its_slots_again():
    hour_back = slots_of("*/1 * * * *", 30, jumps={26: timedelta(hours=-1)})
    gaps = {later - earlier for earlier, later in pairwise(hour_back)}
    assert gaps == {60}


def test_slots_that_pass_during_a_run_become_one():
    stop, ran = Event(), []
    hands = Hands(stop, 4)

    def run(name):
        ran.append(hands.seconds)
        if len(ran) == 1:
            hands.seconds += 50

    Scheduler({"sync": parse_schedule("every 20 seconds")}, run, stop, hands.clock).serve()
    assert ran == [0, 50, 60, 80, 100]


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit(0), KeyboardInterrupt()])
def test_a_worker_that_dies_ends_the_service(error):
    stop = Event()

    def run(name):
        raise error

    with pytest.raises(WorkerDied, match="nothing runs sync any more"):
        Scheduler({"sync": parse_schedule("every 1 day")}, run, stop).serve()

"""A day of schedules by a clock that is passed in: each slot once, or told as missed."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sync.position import Position
from sync.schedule import Clock, parse_schedule
from tests.unit.test_sync.test_scheduler import Book

BERLIN = ZoneInfo("Europe/Berlin")
SPRING = datetime(2026, 3, 28, 12, tzinfo=BERLIN).astimezone(UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=BERLIN).astimezone(UTC)
SCHEDULES = ["*/20 * * * *", "0,30 1-3 * * *", "30 2 * * *"]


class Day:
    """A day that passes five minutes by five; servers are stopped, and begun anew, as they are told."""

    def __init__(self, begin, text, **more):
        self.begin = self.now = begin
        self.schedule = parse_schedule(text, BERLIN, sync="a", **more)
        self.book, self.runs = Book(), []
        self.clock = Clock(
            now=lambda: self.now,
            monotonic=lambda: (self.now - begin).total_seconds(),
            wait=lambda seconds: None,
        )

    def server(self):
        return Position("a", self.schedule, self.book, self.clock)

    def pass_by(self, stops=(), servers=1, hours=24):
        """`stops` are hours, from the day's begin on, in which nothing serves."""
        serving = [self.server() for _ in range(servers)]
        for minute in range(0, hours * 60, 5):
            self.now = self.begin + timedelta(minutes=minute)
            if any(begin <= minute / 60 < end for begin, end in stops):
                serving = []
            elif not serving:
                serving = [self.server() for _ in range(servers)]
            for each in serving:
                if each.wait() <= 0 and (claimed := each.take()):
                    self.runs.append(claimed)

    def slots(self):
        """What should come on that day."""
        found, moment = [], self.begin
        while (slot := self.schedule.slot(moment)).at < self.begin + timedelta(hours=24):
            found.append(slot.name)
            moment = slot.at
        return found

    def accounted(self):
        """How many slots the runs stand for, by what they say."""
        said = [re.search(r"and (\d+) before it", each.late or "") for each in self.runs]
        return len(self.runs) + sum(int(each[1]) for each in said if each)


@pytest.mark.parametrize("text", SCHEDULES)
@pytest.mark.parametrize("begin", [SPRING, AUTUMN])
def test_on_a_day_on_which_the_clocks_change_each_slot_comes_once(begin, text):
    day = Day(begin, text)
    day.pass_by()
    assert [each.slot for each in day.runs] == day.slots()
    assert {each.late for each in day.runs} == {None}


@pytest.mark.parametrize("text", SCHEDULES)
@pytest.mark.parametrize("begin", [SPRING, AUTUMN])
@pytest.mark.parametrize("servers", [1, 2])
def test_with_stops_each_slot_is_run_or_told_as_missed(begin, text, servers):
    day = Day(begin, text)
    day.pass_by([(2, 3.2), (13.5, 16.1), (20, 20.4)], servers)
    names = [each.slot for each in day.runs]
    assert len(set(names)) == len(names)
    assert set(names) <= set(day.slots())
    assert day.accounted() == len(day.slots())


def test_a_slot_missed_during_a_stop_is_run_once_and_says_so():
    day = Day(SPRING, "30 14 * * *")
    day.pass_by([(2, 5)])
    (run,) = day.runs
    assert (run.slot, run.late) == ("2026-03-28T14:30", "late: the slot of 14:30")


def test_slots_missed_for_a_month_are_one_run():
    day = Day(SPRING, "*/5 * * * *")
    day.server()
    day.now += timedelta(days=30)
    server = day.server()
    run = server.take()
    assert (run.slot, run.late) == (
        "2026-04-27T13:00", "late: the slot of 13:00, and 999 or more before it",
    )  # fmt: skip
    assert server.take() is None


def test_what_a_blackout_kept_back_is_one_run_at_its_end():
    day = Day(SPRING, "0 * * * *", blackout=["22:00-06:00"])
    day.pass_by()
    (kept,) = [each for each in day.runs if each.late]
    assert kept.late == 'after the blackout "22:00-06:00": the slot of 06:00, and 7 before it'
    assert day.accounted() == len(day.slots())


def test_an_interval_begins_at_once_and_two_servers_share_it():
    day = Day(SPRING, "every 60 minutes")
    day.pass_by(servers=2)
    assert len(day.runs) == 24
    assert day.runs[0].at == SPRING


def test_an_interval_goes_on_from_the_last_one_after_a_restart():
    day = Day(SPRING, "every 60 minutes")
    day.pass_by([(1.2, 1.5), (4.2, 8.3)], hours=10)
    begun = [(each.at - SPRING).total_seconds() / 60 for each in day.runs]
    assert begun == [0, 60, 120, 180, 240, 500, 560]


def test_an_interval_waits_for_the_end_of_a_blackout():
    day = Day(SPRING, "every 60 minutes", blackout=["12:30-16:00"])
    day.pass_by(hours=6)
    begun = [(each.at - SPRING).total_seconds() / 60 for each in day.runs]
    assert begun[:2] == [0, 240]
    assert day.runs[1].late == 'after the blackout "12:30-16:00"'


def test_a_schedule_that_was_changed_counts_from_then_on():
    day = Day(SPRING, "0 13 * * *")
    day.server()
    day.now += timedelta(hours=3)
    day.schedule = parse_schedule("0 14 * * *", BERLIN, sync="a")
    assert day.server().wait() == 23 * 3600 - 3600  # the night is an hour shorter

"""The loop that runs syncs on their schedules: what it takes, when, and how it ends."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Event, Thread

import pytest

from sync.schedule import Clock, parse_schedule
from sync.scheduler import Scheduler, WorkerDied
from sync.state.slots import Taken

MOMENT = datetime(2026, 3, 4, 10, 7, 30, tzinfo=UTC)  # a Wednesday


class Book:
    """Which slots were taken, in memory."""

    def __init__(self):
        self.rows = []

    def last(self, sync):
        return next((row for name, row in reversed(self.rows) if name == sync), None)

    def take(self, sync, schedule, slot, at, after, late=None):
        if self.last(sync) != after or (sync, slot) in [
            (name, row.slot) for name, row in self.rows
        ]:
            return None
        self.rows.append((sync, Taken(len(self.rows) + 1, schedule, slot, at)))
        return self.last(sync)


def served(schedules, run, stop):
    scheduler = Scheduler(
        {name: parse_schedule(text) for name, text in schedules.items()}, Book(), run, stop
    )
    thread = Thread(target=scheduler.serve)
    thread.start()
    return thread


def test_intervals_run_at_once_and_cron_does_not():
    ran, done, stop = [], Event(), Event()

    def run(claimed):
        ran.append(claimed.sync)
        done.set()

    thread = served({"often": "every 1 day", "yearly": "@yearly"}, run, stop)
    assert done.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert ran == ["often"]


def test_what_is_in_hand_is_finished_before_the_service_ends():
    begun, go_on, stop, finished = Event(), Event(), Event(), []

    def run(claimed):
        begun.set()
        go_on.wait(10)
        finished.append(claimed.sync)

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

    def run(claimed):
        if claimed.sync == "slow":
            go_on.wait(10)
        else:
            other.set()

    thread = served({"slow": "every 1 day", "quick": "every 1 day"}, run, stop)
    assert other.wait(10)
    stop.set()
    go_on.set()
    thread.join(10)


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
    Scheduler(schedules, Book(), lambda _: ran.append(hands.seconds), stop, hands.clock).serve()
    return ran


def test_an_interval_counts_seconds_whatever_the_clock_says():
    back = slots_of("every 20 seconds", 6, jumps={4: timedelta(days=-3), 2: timedelta(days=400)})
    assert back == [0, 20, 40, 60, 80, 100]


def test_a_clock_that_is_set_back_fires_no_slot_twice():
    stop, ran = Event(), []
    hands = Hands(stop, 40)
    hands.jumps = {26: timedelta(minutes=-5)}
    schedules = {"sync": parse_schedule("* * * * *", UTC)}
    Scheduler(schedules, Book(), lambda slot: ran.append(slot.slot), stop, hands.clock).serve()
    assert len(ran) > 3
    assert len(set(ran)) == len(ran)
    gaps = {datetime.fromisoformat(b) - datetime.fromisoformat(a) for a, b in pairwise(ran)}
    assert gaps == {timedelta(minutes=1)}


def test_slots_that_pass_during_a_run_become_one():
    stop, ran = Event(), []
    hands = Hands(stop, 4)

    def run(claimed):
        ran.append(hands.seconds)
        if len(ran) == 1:
            hands.seconds += 50

    Scheduler({"sync": parse_schedule("every 20 seconds")}, Book(), run, stop, hands.clock).serve()
    assert ran == [0, 50, 60, 80, 100]


def test_it_is_alive_until_a_worker_dies_even_while_another_one_ends_its_run():
    begun, go_on, stop, seen = Event(), Event(), Event(), []

    def run(claimed):
        if claimed.sync == "long":
            begun.set()
            go_on.wait(10)
        else:
            begun.wait(10)
            seen.append(scheduler.alive)
            raise RuntimeError("odd")

    schedules = {name: parse_schedule("every 1 day") for name in ("long", "odd")}
    scheduler = Scheduler(schedules, Book(), run, stop)
    assert scheduler.alive

    def serve():
        with pytest.raises(WorkerDied):
            scheduler.serve()

    thread = Thread(target=serve)
    thread.start()
    assert stop.wait(10)
    seen.append(scheduler.alive)
    go_on.set()
    thread.join(10)
    assert seen == [True, False]


@pytest.mark.parametrize("error", [RuntimeError("odd"), SystemExit(0), KeyboardInterrupt()])
def test_a_worker_that_dies_ends_the_service(error):
    stop = Event()

    def run(claimed):
        raise error

    with pytest.raises(WorkerDied, match="nothing runs sync any more"):
        Scheduler({"sync": parse_schedule("every 1 day")}, Book(), run, stop).serve()

"""Several processes under one credential: together they keep its limit, and use it up."""

import pytest

from connectors.calling.limiter import Limiter
from connectors.contract.errors import RateLimited
from connectors.contract.runtime import Runtime
from connectors.contract.slots import Grant, Visit, stay
from tests.unit.test_connectors.calling.processes import (
    Kept,
    Process,
    Time,
    Vendor,
    most_in_a_window,
)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def kept(time):
    return Kept(time)


def run(*processes):
    processes[0].time.run([work for each in processes for work in each.works()])


def alone(time, kept, calls, window, **more):
    """A limiter whose sleeps let the time pass."""

    def sleep(seconds):
        time.now += seconds

    runtime = Runtime(monotonic=lambda: time.now, sleep=sleep, slots=kept, credential="shop")
    return Limiter(calls, window, runtime, **more)


@pytest.mark.parametrize("apart", [0, 10])
def test_two_processes_of_eight_threads_use_the_limit_up_and_keep_it(time, kept, apart):
    vendor = Vendor(time, 60, 60)
    run(*(Process(name, vendor, kept, until=300, start=apart * n) for n, name in enumerate("ab")))
    assert most_in_a_window(vendor.took, 60) <= 60
    assert vendor.refused == 0
    assert len(vendor.took) >= 0.95 * 300
    assert min(vendor.by.values()) > 0.35 * len(vendor.took)


def test_more_processes_than_slots_take_turns(time, kept):
    vendor = Vendor(time, 2, 5)
    run(*(Process(name, vendor, kept, until=100, threads=1) for name in "abcde"))
    assert vendor.refused == 0
    assert min(vendor.by.values()) >= 4


def test_who_comes_late_gets_its_share_of_what_another_uses_up(time, kept):
    vendor = Vendor(time, 60, 60)
    run(Process("a", vendor, kept, until=240), Process("b", vendor, kept, until=240, start=90))
    assert vendor.refused == 0
    assert vendor.by["b"] > 40


def test_what_one_leaves_another_may_use(time, kept):
    vendor = Vendor(time, 60, 60)
    run(Process("a", vendor, kept, until=60), Process("b", vendor, kept, until=300))
    assert vendor.refused == 0
    assert len(vendor.took) >= 0.95 * 300


def test_a_killed_process_gives_its_slots_back_by_time_and_not_before(time, kept):
    vendor = Vendor(time, 60, 60)
    first = Process("a", vendor, kept)
    other = Process("b", vendor, kept, until=300, start=5)

    def kill():
        time.sleep(20)
        first.killed = True

    time.run([*first.works(), *other.works(), kill])
    late = [at for at in vendor.took if at > 1000 + 20 + 4 * stay(60) + 60 + 60]
    assert vendor.refused == 0
    assert most_in_a_window(vendor.took, 60) <= 60
    assert len(late) >= 0.95 * (1300 - min(late))


def test_clocks_that_differ_by_hours_do_not_matter(time, kept):
    vendor = Vendor(time, 60, 60)
    run(
        Process("a", vendor, kept, until=200),
        Process("b", vendor, kept, until=200, start=7, ahead=-7200),
    )
    assert vendor.refused == 0
    assert len(vendor.took) >= 0.95 * 200


def test_where_the_settings_differ_the_strictest_counts(time, kept):
    vendor = Vendor(time, 30, 60)
    old = Process("old", vendor, kept, until=400, rate=(60, 60))
    new = Process("new", vendor, kept, until=400, rate=(30, 60), start=100)
    vendor.calls = 60
    run(old, new)
    assert most_in_a_window([at for at in vendor.took if at > 1000 + 100 + 60 + 10], 60) <= 30


def test_one_process_that_is_refused_holds_the_other_back(time, kept):
    one, other = alone(time, kept, 60, 60), alone(time, kept, 60, 60)
    for each in (one, other):
        with each.slot():
            pass
    one.pause(40)
    began = time.now
    time.now += stay(60)
    with other.slot():
        assert time.now - began == pytest.approx(40, abs=0.01)


def test_a_pause_longer_than_patience_ends_the_other_process_too(time, kept):
    one, other = alone(time, kept, 60, 60), alone(time, kept, 60, 60)
    one.pause(4000)
    with pytest.raises(RateLimited) as caught, other.slot(300):
        pass
    assert caught.value.after == pytest.approx(4000, abs=0.01)


def test_what_the_vendors_counter_told_one_process_the_other_heeds(time, kept):
    one, other = alone(time, kept, 60, 60), alone(time, kept, 60, 60)
    with other.slot():
        pass
    with one.slot():
        one.learn(0, 50)
    time.now += stay(60)
    with one.slot():
        told = time.now
    assert told == pytest.approx(1050, abs=0.01)


def test_a_counter_that_is_nearly_used_up_is_divided(time, kept):
    one, other = alone(time, kept, 60, 60), alone(time, kept, 60, 60)
    for each in (one, other, one):
        time.now += stay(60)
        with each.slot():
            pass
    began = time.now
    with one.slot():
        one.learn(4, 30)
    for _ in range(2):
        with one.slot():
            assert time.now < began + 30
    with one.slot():
        assert time.now >= began + 30


def test_a_run_alone_comes_by_once_in_a_while_and_not_at_each_call(time, kept):
    limiter = alone(time, kept, 1000, 60)
    for _ in range(1000):
        with limiter.slot():
            time.now += 0.01
    assert kept.visits <= 10 / stay(60) + 7


def test_a_few_calls_hold_few_slots(time, kept):
    limiter = alone(time, kept, 1000, 60)
    with limiter.slot():
        pass
    (holder,) = kept.window.holders.values()
    assert holder.held == 50


def test_a_closed_limiter_holds_nothing_and_its_calls_rest(time, kept):
    limiter = alone(time, kept, 60, 60)
    with limiter.slot():
        pass
    limiter.close()
    assert kept.window.holders == {}
    assert [count for _, count in kept.window.resting] == [1]


def test_a_process_that_stood_still_until_others_had_its_slots_sends_nothing_on_them(time, kept):
    one, other = alone(time, kept, 2, 60), alone(time, kept, 2, 60)
    with one.slot():
        pass
    time.now += 4 * stay(60) + 1
    with other.slot():
        began = time.now
    with one.slot():
        assert time.now >= began + 60 - 4 * stay(60) - 2
    assert most_in_a_window([1000, began, time.now], 60) <= 2


def test_who_gets_no_slot_for_longer_than_patience_is_told_so(time, kept):
    kept.visit = lambda credential, visit: Grant()
    limiter = alone(time, kept, 60, 60)
    with pytest.raises(RateLimited, match="other runs use all calls") as caught, limiter.slot(300):
        pass
    assert caught.value.after is None


def test_without_a_state_each_goes_by_its_own_count(time):
    class Nowhere:
        def visit(self, credential: str, visit: Visit) -> None:
            return None

    limiter = alone(time, Nowhere(), 2, 60)
    left = []
    for _ in range(3):
        with limiter.slot():
            left.append(time.now)
    assert left == [1000, 1000, pytest.approx(1060)]


def test_what_was_called_before_the_state_was_open_counts_in_it(time, kept):
    visit, kept.visit = kept.visit, lambda credential, visit: None
    limiter = alone(time, kept, 2, 60)
    with limiter.slot():
        pass
    kept.visit = visit
    with limiter.slot():
        pass
    (holder,) = kept.window.holders.values()
    assert holder.held == 2


def test_a_call_whose_lease_ended_while_it_was_renewed_does_not_leave_yet(time, kept):
    limiter = alone(time, kept, 60, 60)
    visit, late = kept.visit, [10.0]

    def slow(credential, said):
        grant = visit(credential, said)
        time.now += late.pop() if late else 0
        return grant

    kept.visit = slow
    with limiter.slot():
        assert kept.visits == 2


def test_a_slot_under_way_that_others_have_by_now_is_not_ours_again(time, kept):
    one, other = alone(time, kept, 2, 60), alone(time, kept, 2, 60)
    with one.slot():
        time.now += 4 * stay(60) + 1
        with other.slot():
            pass
        one._visit(one._leasing)
    assert one._held() == 0


def test_what_is_under_way_when_a_limiter_is_closed_rests_a_window(time, kept):
    limiter = alone(time, kept, 60, 60)
    with limiter.slot():
        limiter.close()
    assert sum(count for _, count in kept.window.resting) == 1
    assert limiter._held() == 0


def test_slots_that_lie_idle_are_given_back_once_others_wait(time, kept):
    window = kept.window
    idle = alone(time, kept, 60, 60)
    visit = Visit("b", calls=60, window=60, held=0, wants=60, fresh=True)
    idle._visit(idle._leasing)
    idle._unused = window.holders[idle._leasing._holder].held = 20
    assert window.visit(visit, int(time.now * 1000)).slots == 40
    window.visit(Visit("b", calls=60, window=60, held=40, wants=20), int(time.now * 1000))
    window.holders["b"].held, window.holders["b"].waits_since = 10, 1
    for _ in range(2):
        time.now += stay(60)
        with idle.slot():
            pass
    assert idle._held() <= 2

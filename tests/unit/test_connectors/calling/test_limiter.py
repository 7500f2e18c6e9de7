import threading

import pytest

from connectors.calling.limiter import Limiter
from connectors.contract.errors import RateLimited
from connectors.contract.runtime import Runtime


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def limiter_of(clock: Clock, calls: int, window: float) -> Limiter:
    return Limiter(calls, window, Runtime(monotonic=clock.monotonic, sleep=clock.sleep))


def test_as_many_calls_as_there_are_slots_leave_at_once(clock):
    limiter = limiter_of(clock, 3, 60)
    for _ in range(3):
        with limiter.slot():
            pass
    assert clock.slept == []


def test_the_next_call_waits_a_window_after_the_answer_not_after_the_request(clock):
    limiter = limiter_of(clock, 1, 60)
    with limiter.slot():
        clock.now += 7
    with limiter.slot():
        assert clock.now == 1000 + 7 + 60


def test_a_slot_is_free_again_once_its_window_is_over(clock):
    limiter = limiter_of(clock, 1, 60)
    with limiter.slot():
        pass
    clock.now += 60
    with limiter.slot():
        assert clock.slept == []


def test_a_call_that_fails_uses_its_slot_up(clock):
    limiter = limiter_of(clock, 1, 60)
    with pytest.raises(ZeroDivisionError), limiter.slot():
        raise ZeroDivisionError
    with limiter.slot():
        assert clock.slept == [60]


def test_no_window_ever_holds_more_calls_than_slots(clock):
    limiter = limiter_of(clock, 4, 10)
    left = []
    for n in range(30):
        with limiter.slot():
            left.append(clock.now)
            clock.now += 0.1 * (n % 3)
    assert all(later - left[i] >= 10 for i, later in enumerate(left[4:]))


def test_a_pause_holds_back_a_free_slot(clock):
    limiter = limiter_of(clock, 5, 60)
    limiter.pause(42)
    with limiter.slot():
        assert clock.now == 1042


def test_a_shorter_pause_does_not_shorten_a_longer_one(clock):
    limiter = limiter_of(clock, 5, 60)
    limiter.pause(42)
    limiter.pause(1)
    with limiter.slot():
        assert clock.now == 1042


def test_a_pause_that_begins_while_a_call_waits_holds_it_too(clock):
    limiter = limiter_of(clock, 1, 10)
    with limiter.slot():
        pass

    def sleep(seconds: float) -> None:
        if not clock.slept:
            limiter.pause(100)
        Clock.sleep(clock, seconds)

    limiter._runtime = Runtime(monotonic=clock.monotonic, sleep=sleep)
    with limiter.slot():
        assert clock.now == 1100


def test_a_pause_longer_than_patience_is_refused_with_the_seconds_left(clock):
    limiter = limiter_of(clock, 1, 60)
    limiter.pause(500)
    clock.now += 100
    with pytest.raises(RateLimited) as refused, limiter.slot(patience=300):
        pass
    assert refused.value.after == 400
    assert clock.slept == []


def test_a_refused_call_gives_its_slot_back(clock):
    limiter = limiter_of(clock, 1, 60)
    limiter.pause(500)
    with pytest.raises(RateLimited), limiter.slot(patience=300):
        pass
    clock.now += 500
    with limiter.slot():
        assert clock.slept == []


def test_waiting_for_the_own_pace_is_never_refused(clock):
    limiter = limiter_of(clock, 1, 3600)
    with limiter.slot(patience=1):
        pass
    with limiter.slot(patience=1):
        assert clock.slept == [3600]


def test_threads_share_the_slots_and_all_get_through():
    clock, lock = Clock(), threading.Lock()
    inside, most, done = 0, 0, []

    def sleep(seconds: float) -> None:
        with lock:
            clock.now += seconds

    limiter = Limiter(2, 5, Runtime(monotonic=clock.monotonic, sleep=sleep))

    def work() -> None:
        nonlocal inside, most
        for _ in range(10):
            with limiter.slot():
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1
            done.append(1)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=10)
    assert len(done) == 80
    assert most <= 2
    assert clock.now >= 1000 + 5 * (80 / 2 - 1)


def test_no_more_calls_leave_than_the_vendor_says_are_left(clock):
    limiter = limiter_of(clock, 100, 60)
    with limiter.slot():
        limiter.learn(2, 30)
    for _ in range(2):
        with limiter.slot():
            pass
    assert clock.slept == []
    with limiter.slot():
        assert clock.slept == [30]


def test_what_the_vendor_says_later_counts(clock):
    limiter = limiter_of(clock, 100, 60)
    with limiter.slot():
        limiter.learn(0, 30)
        limiter.learn(1, 30)
    with limiter.slot():
        assert clock.slept == []


def test_calls_under_way_are_taken_off_what_is_left(clock):
    limiter = limiter_of(clock, 100, 60)
    with limiter.slot(), limiter.slot():
        limiter.learn(1, 30)
    with limiter.slot():
        assert clock.slept == [30]


def test_none_left_for_longer_than_patience_ends_the_call(clock):
    limiter = limiter_of(clock, 100, 60)
    with limiter.slot():
        limiter.learn(0, 3600)
    with pytest.raises(RateLimited) as caught, limiter.slot(300):
        pass
    assert caught.value.after == 3600

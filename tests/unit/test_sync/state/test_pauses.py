"""Pauses: what a vendor asked for outlives the process that it was told to."""

from datetime import timedelta

import pytest

from connectors.contract.errors import RateLimited
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory
from sync.state.pauses import Pauses


class System:
    """A system whose sleeping moves the clock."""

    def __init__(self, clock, name="shop"):
        self.slept = []
        runtime = Runtime(
            sleep=lambda seconds: (self.slept.append(seconds), clock.advance(seconds))
        )
        self.connector = Memory(name, None, runtime)


@pytest.fixture
def system(clock):
    return System(clock)


@pytest.fixture
def pauses(store):
    return Pauses(store)


def limited(seconds):
    return RateLimited("too many calls", after=seconds)


def test_a_system_that_asked_for_nothing_is_called_at_once(pauses, system):
    pauses.keep("another", limited(100))
    pauses.wait(system.connector)
    assert system.slept == []


def test_a_pause_within_ones_patience_is_waited_for_in_another_process_too(store, system, clock):
    Pauses(store).keep("shop", limited(120))
    clock.advance(20)
    Pauses(store).wait(system.connector)
    Pauses(store).wait(system.connector)
    assert system.slept == [100]


def test_a_pause_beyond_ones_patience_says_when_it_ends(pauses, system):
    pauses.keep("shop", limited(4000))
    with pytest.raises(RateLimited, match="no call before 2026-03-01 13:06:40 UTC") as caught:
        pauses.wait(system.connector)
    assert (caught.value.after, system.slept) == (4000, [])


def test_the_last_thing_that_a_system_said_counts(pauses, system):
    pauses.keep("shop", limited(4000))
    pauses.keep("shop", limited(60))
    pauses.keep("shop", RateLimited("too many calls"))
    pauses.wait(system.connector)
    assert system.slept == [60]


@pytest.mark.parametrize("asked", [1e9, 1e11])
def test_a_system_that_asks_for_years_is_asked_again_after_a_day(pauses, clock, asked):
    pauses.keep("shop", limited(asked))
    assert pauses.until("shop") - clock() == timedelta(days=1)
    clock.advance(86401)
    assert pauses.until("shop") is None

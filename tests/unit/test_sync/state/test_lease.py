"""The lease: one holder, taken over when it ends or dies, and the loser fenced off."""

import os
import subprocess
import sys
from copy import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from sync.state.lease import Holder, Lease, LeaseHeld, LeaseLost, elapsed
from sync.state.store import Store, StoreError, leases

ELSEWHERE = Holder("other-host", "other-machine", 4711, "1")

CONTENDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sync.state.lease import Lease, LeaseHeld
from sync.state.store import Store

def now():
    return datetime(2026, 3, 1, 12, tzinfo=UTC)

store = Store.open(sys.argv[1], Path("/"), now)
print("ready", flush=True)
sys.stdin.readline()
try:
    lease = Lease.take(store, "erp-to-brex", now=now)
    print(f"won {lease.token}", flush=True)
except LeaseHeld as error:
    print(f"held {error.pid}", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def take(store, clock):
    taken = []

    def take(holder=None, **more):
        given = {"now": clock, "monotonic": lambda: clock.time.timestamp(), "holder": holder}
        taken.append(Lease.take(store, "erp-to-brex", **given | more))
        return taken[-1]

    yield take
    for lease in taken:
        lease.release()


@pytest.fixture
def contenders(database_url):
    """Starts other processes with the same database, all of them ready to take the lease."""
    started = []

    def start(count):
        started.extend(
            subprocess.Popen(
                [sys.executable, "-c", CONTENDER, database_url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        )
        assert [each.stdout.readline() for each in started] == ["ready\n"] * count
        return started

    yield start
    for each in started:
        each.kill()
        each.communicate()


def guard(store, lease):
    with store.write() as connection:
        lease.guard(connection)


def test_a_lease_that_is_held_is_refused_and_its_holder_named(take, clock):
    take(ELSEWHERE)
    clock.advance(29)
    with pytest.raises(LeaseHeld, match="process 4711 on other-host since 2026-03-01 12:00:00"):
        take()


def test_a_thread_of_the_same_process_is_refused_too(take):
    take()
    with pytest.raises(LeaseHeld) as caught:
        take()
    assert caught.value.pid == os.getpid()


def test_leases_of_other_names_do_not_meet(take, store, clock):
    take()
    with Lease.take(store, "erp-to-bill", now=clock) as other:
        guard(store, other)


def test_a_lease_is_given_back_at_the_end_and_its_token_grows(take, store, clock):
    with Lease.take(store, "erp-to-brex", now=clock) as lease:
        assert lease.token == 1
    assert take().token == 2


def test_a_lease_that_ran_out_is_taken_over_and_the_loser_fenced_off(take, store, clock):
    first = take(ELSEWHERE)
    clock.advance(30)
    guard(store, first)  # it ran out, and nobody has it: no reason to stop
    second = take()
    with pytest.raises(LeaseLost):
        guard(store, first)
    assert not first.renew()
    first.release()
    guard(store, second)
    with pytest.raises(LeaseHeld):
        take()


def test_a_renewed_lease_lasts_longer(take, clock):
    lease = take(ELSEWHERE)
    clock.advance(20)
    assert lease.renew()
    clock.advance(20)
    with pytest.raises(LeaseHeld):
        take()


def test_a_lease_renews_itself_three_times_a_term(store, clock):
    asked, third = [], Event()

    def now():
        asked.append(1)
        if len(asked) >= 4:  # once to take it, three times to keep it
            third.set()
        return clock()

    with Lease.take(store, "erp-to-brex", now=now, ttl=0.03):
        assert third.wait(30)


def test_a_dead_process_of_this_machine_is_taken_over_at_once(take):
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    take(replace(Holder.here(), pid=gone.pid))
    take()


def test_a_process_that_only_waits_to_be_buried_is_dead(take):
    waits = [sys.executable, "-c", "input()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        began = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
        take(replace(Holder.here(), pid=child.pid, process=began))
        with pytest.raises(LeaseHeld):
            take()
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        take()


def test_another_process_that_got_a_dead_ones_number_is_not_it(take):
    take(replace(Holder.here(), process="1"))
    take()


def test_a_process_of_another_machine_is_not_judged_by_our_processes(take):
    take(replace(ELSEWHERE, pid=2**22 + 1))
    with pytest.raises(LeaseHeld):
        take()


def test_a_lease_cannot_be_taken_over_between_its_check_and_what_it_was_checked_for(
    store, take, clock
):
    lease = take(ELSEWHERE)
    clock.advance(30)
    began, over = Event(), []

    def overtake():
        began.set()
        other = Lease.take(store, "erp-to-brex", now=clock)
        over.append("taken")
        other.release()

    with store.write() as connection:
        lease.guard(connection)
        thread = Thread(target=overtake)
        thread.start()
        began.wait(30)
        thread.join(0.2)
        over.append("written")
    thread.join(30)
    assert over == ["written", "taken"]


def test_of_many_processes_one_wins_and_its_death_frees_the_lease(contenders, take, store, clock):
    processes = contenders(3)
    for each in processes:
        each.stdin.write("\n")
        each.stdin.flush()
    said = [each.stdout.readline().split() for each in processes]
    winners = [each for each, words in zip(processes, said, strict=True) if words[0] == "won"]
    assert len(winners) == 1
    assert {words[1] for words in said if words[0] == "held"} == {str(winners[0].pid)}
    with pytest.raises(LeaseHeld):
        take()
    winners[0].kill()
    winners[0].wait()
    assert take().token == 2


def test_a_server_whose_clock_is_ahead_judges_for_all(store, clock, monkeypatch, tmp_path):
    monkeypatch.setattr("sync.state.store._skew", lambda connection: timedelta(seconds=3600))
    ahead = Store.open(store.engine.url.render_as_string(hide_password=False), tmp_path, clock)
    assert ahead.now() - clock() == timedelta(seconds=0 if store.is_sqlite else 3600)
    with Lease.take(ahead, "erp-to-brex", now=clock) as lease, ahead.read() as connection:
        since = connection.execute(leases.select()).mappings().one()["since"]
        assert since == ahead.now()
        guard(ahead, lease)
    ahead.close()


def test_a_database_that_is_gone_is_no_error_when_a_lease_ends(store, clock, monkeypatch):
    def gone():
        raise StoreError("gone")

    with Lease.take(store, "erp-to-brex", now=clock) as lease:
        monkeypatch.setattr(store, "write", gone)
    assert lease.token == 1


# -- what may leave for a vendor -----------------------------------------------------------------


class Unreachable:
    """A store that must not be asked."""

    def __getattr__(self, name):
        pytest.fail(f"the database was asked: {name}")


def test_what_leaves_within_the_term_asks_no_database(take, clock):
    lease = take(ELSEWHERE)
    lease._store, store = Unreachable(), lease._store
    clock.advance(26)
    lease.ensure()
    lease._store = store


def test_nothing_leaves_once_another_process_may_have_the_lease(take, clock):
    first = take(ELSEWHERE)
    clock.advance(30)
    take()
    with pytest.raises(LeaseLost, match="stood still for longer than its lease lasts"):
        first.ensure()


def test_who_slept_past_a_lease_that_nobody_took_goes_on_and_holds_it_again(take, clock):
    first = take(ELSEWHERE)
    clock.advance(300)
    first.ensure()
    with pytest.raises(LeaseHeld):
        take()


def test_a_renewal_that_shows_another_holder_stops_what_leaves_at_once(take, clock):
    began = clock.time.timestamp()
    first = take(ELSEWHERE, monotonic=lambda: began)  # by this clock its term has just begun
    clock.advance(30)
    take()
    assert not first.renew()
    with pytest.raises(LeaseLost):
        first.ensure()


def test_a_term_counts_from_before_the_transaction_that_begins_it(store, clock, monkeypatch):
    moments = iter([0.0, 26.0, 100.0, 100.0, 100.0])  # taking it took 26 s
    with Lease.take(store, "slow", now=clock, monotonic=lambda: next(moments)) as lease:
        lease.ensure()
        asked = []
        monkeypatch.setattr(lease, "renew", lambda: asked.append(1))
        with pytest.raises(LeaseLost):
            lease.ensure()
        assert asked == [1]


def test_a_renewal_that_took_longer_than_a_term_is_worth_nothing(take, clock):
    lease = take(ELSEWHERE)
    clock.advance(300)
    write = lease._store.write

    def slow():
        clock.advance(30)
        return write()

    lease._store = copy(lease._store)
    lease._store.write = slow
    with pytest.raises(LeaseLost):
        lease.ensure()


def test_time_that_a_machine_sleeps_counts(monkeypatch):
    monkeypatch.setattr("time.CLOCK_BOOTTIME", 7, raising=False)
    monkeypatch.setattr("time.clock_gettime", lambda clock: {7: 42.0}[clock])
    assert elapsed() == 42.0

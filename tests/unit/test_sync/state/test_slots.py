"""Slots in the state: each is taken once, whoever is quicker."""

import subprocess
import sys
from datetime import timedelta
from threading import Barrier, Thread

import pytest

from sync.state.slots import KEPT, Slots
from sync.state.store import slots

SERVER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sync.state.slots import Slots
from sync.state.store import Store

now = datetime(2026, 3, 1, 12, tzinfo=UTC)
store = Store.open(sys.argv[1], Path("/"), lambda: now)
book, count = Slots(store), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
last = book.last("a")
while last is None or int(last.slot) < count:
    slot = int(last.slot) + 1 if last else 1
    taken = book.take("a", "often", str(slot), now, last)
    if taken:
        print(slot)
    last = taken or book.last("a")
"""


@pytest.fixture
def book(store):
    return Slots(store)


def test_a_slot_is_taken_once_and_the_next_one_after_it(book, clock):
    first = book.take("a", "@daily", "1", clock.time, None)
    assert first is not None
    assert book.take("a", "@daily", "1", clock.time, first) is None
    assert book.take("a", "@daily", "2", clock.time, None) is None
    second = book.take("a", "@daily", "2", clock.time, first)
    assert book.last("a") == second
    assert book.last("b") is None


def test_old_slots_are_forgotten_but_the_last(book, store, clock):
    first = book.take("a", "@daily", "1", clock.time, None)
    clock.advance((KEPT + timedelta(days=1)).total_seconds())
    assert book.last("a") == first
    second = book.take("a", "@daily", "2", clock.time, first)
    with store.read() as connection:
        assert connection.execute(slots.select()).scalars().all() == [second.number]


def test_of_servers_in_one_process_each_slot_is_taken_by_one(book, clock):
    barrier, taken = Barrier(4), []

    def serve():
        last = None
        barrier.wait(10)
        while last is None or int(last.slot) < 20:
            slot = int(last.slot) + 1 if last else 1
            mine = book.take("a", "often", str(slot), clock.time, last)
            taken.extend([slot] if mine else [])
            last = mine or book.last("a")

    threads = [Thread(target=serve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [*range(1, 21)]


@pytest.mark.faults
def test_of_servers_in_processes_each_slot_is_taken_by_one(book, database_url):
    count = 1000
    command = [sys.executable, "-c", SERVER, database_url, str(count)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    servers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for server in servers:
        assert server.stdout.readline() == "ready\n"
    for server in servers:
        server.stdin.write("\n")
        server.stdin.flush()
    taken = [int(line) for server in servers for line in server.communicate(timeout=300)[0].split()]
    assert [server.returncode for server in servers] == [0, 0]
    assert sorted(taken) == [*range(1, count + 1)]

"""A change of how a sync stands is given to one teller, once, and what it tells is not lost."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.news import Event, Standing, Told
from sync.state.messages import KEPT, Messages
from sync.state.store import Store
from sync.state.tellings import Tellings, _moved

FAILED, GOOD, WAITS = Standing.FAILED, Standing.GOOD, Standing.WAITS


class World:
    """A state in a folder, and what time it is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, datetime(2026, 3, 15, tzinfo=UTC)

    def open(self) -> Store:
        return Store.open("sqlite:///s.db", self.folder, lambda: self.now)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("state")
    World(folder).open().close()
    return (folder / "s.db").read_bytes()


@pytest.fixture
def world(tmp_path: Path, made: bytes) -> World:
    (tmp_path / "s.db").write_bytes(made)
    return World(tmp_path)


def _to_ops(event: Event) -> dict[str, dict[str, Any]]:
    return {"ops": {"event": event.value}}


@contextmanager
def _two(world: World) -> Iterator[tuple[Store, Store]]:
    with closing(world.open()) as one, closing(world.open()) as two:
        yield one, two


def test_of_two_processes_and_after_a_restart_a_change_is_told_once(world: World) -> None:
    with _two(world) as (one, two):
        assert Tellings(one).stands("s", FAILED, _to_ops) is Event.FAILED
        assert Tellings(two).stands("s", FAILED, _to_ops) is None
        with two.write() as connection:
            assert not _moved(connection, "s", Told(GOOD), Told(WAITS))
    with closing(world.open()) as again:
        assert Tellings(again).stands("s", FAILED, _to_ops) is None
        assert [each.said["event"] for each in Messages(again).take(["ops"])] == ["failed"]
        assert Tellings(again).stands("s", GOOD, _to_ops) is Event.RECOVERED


def test_a_message_is_given_to_one_process_until_that_was_killed(world: World) -> None:
    with _two(world) as (one, two):
        Tellings(one).stands("s", FAILED, _to_ops)
        (taken,) = Messages(one).take(["ops"])
        assert Messages(two).take(["ops"]) == []
        world.now += timedelta(minutes=1)
        assert Messages(two).take(["ops"]) == [taken]
        Messages(two).sent([taken.number])
        world.now += timedelta(minutes=1)
        assert Messages(one).take(["ops"]) == []


def test_what_failed_is_sent_again_ever_less_often_and_then_let_go_of(world: World) -> None:
    with closing(world.open()) as store:
        waiting = Messages(store)
        with store.write() as connection:
            waiting.add(connection, {"ops": {"event": "failed"}})
        begun, minutes = world.now, []
        while taken := waiting.take(["ops"]):
            waiting.failed(taken, "no answer")
            before = world.now
            while not (due := waiting.take(["ops"])) and world.now - before < timedelta(hours=2):
                world.now += timedelta(minutes=1)
            minutes.append((world.now - before) / timedelta(minutes=1))
            if len(minutes) == 8:
                break
            assert due
            world.now += timedelta(minutes=1)  # it is taken for a minute
        assert minutes == [1, 2, 4, 8, 16, 32, 60, 60]
        world.now = begun + KEPT + timedelta(hours=2)
        with store.write() as connection:
            waiting.add(connection, {"ops": {"event": "recovered"}})
        waiting.take([])
        assert [each.said["event"] for each in waiting.take(["ops"])] == ["recovered"]


def test_news_has_what_waits_at_its_notifier_tried_before_it(world: World) -> None:
    with closing(world.open()) as store:
        Tellings(store).stands("s", FAILED, _to_ops)
        Messages(store).failed(Messages(store).take(["ops"]), "no answer")
        assert Messages(store).take(["ops"]) == []
        (trouble,) = Messages(store).troubles()
        assert (trouble.notifier, trouble.waiting, trouble.error) == ("ops", 1, "no answer")
        assert trouble.since == world.now
        Tellings(store).stands("s", GOOD, _to_ops)
        told = [each.said["event"] for each in Messages(store).take(["ops"])]
        assert told == ["failed", "recovered"]


def test_a_good_run_that_is_overdue_is_told_once_and_then_that_it_came(world: World) -> None:
    with closing(world.open()) as store:
        told = Tellings(store)
        assert told.overdue("s", _to_ops) is Event.OVERDUE
        assert told.overdue("s", _to_ops) is None
        assert told.stands("s", FAILED, _to_ops) is Event.FAILED
        assert told.overdue("s", _to_ops) is None
        assert told.stands("s", GOOD, _to_ops) is Event.RECOVERED
        assert told.stands("s", WAITS, _to_ops) is Event.WAITS
        assert told.overdue("s", _to_ops) is None

"""Jobs: put down with their slot or not at all, and given back when their worker is gone."""

from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from sqlalchemy import text

from sync.state.job_tables import driver, ensure_tables
from sync.state.jobs import QUEUE, Job, Jobs
from sync.state.slots import Slots
from sync.state.store import Store, StoreError

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def jobs(store):
    return Jobs.open(store)


@pytest.fixture
def take(store, jobs, clock):
    """Takes the next slot of a sync, with its job."""
    book = Slots(store, along=jobs.put)

    def take(sync, slot):
        return book.take(sync, "@daily", f"2026-03-01T{slot}", clock.time, book.last(sync))

    return take


def rows(store, query):
    with store.read() as connection:
        return connection.execute(text(query)).all()


def begin(store, *, beat="now()"):
    """A worker whose last sign of life was then has the oldest job that waits."""
    with store.write() as connection:
        worker = connection.execute(
            text(f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({beat}) RETURNING id")
        ).scalar_one()
        found = text("SELECT id FROM procrastinate_fetch_job_v2(ARRAY[:queue], :worker)")
        return worker, connection.execute(found, {"queue": QUEUE, "worker": worker}).scalar()


def test_a_slot_has_one_job_and_who_comes_second_has_none(take, jobs):
    assert take("a", "02:30")
    assert not take("a", "02:30")
    assert [(each["sync"], each["slot"]) for each in jobs.standing()] == [("a", "2026-03-01T02:30")]


def test_a_slot_whose_job_cannot_be_put_down_is_not_taken(store, jobs, take, monkeypatch):
    with store.write() as connection:
        connection.execute(text("ALTER TABLE procrastinate_jobs RENAME TO away"))
        connection.execute(text("CREATE VIEW procrastinate_jobs AS SELECT * FROM away LIMIT 1"))
    with pytest.raises(StoreError):
        take("a", "02:30")
    assert Slots(store).last("a") is None


def test_where_a_schedule_begins_no_job_is_put_down(store, jobs, clock):
    Slots(store, along=jobs.put).take("a", "@daily", "begun 2026-03-01", clock.time, None)
    assert jobs.standing() == []


def test_a_later_slot_takes_the_place_of_those_that_wait_and_counts_them(store, take, jobs, clock):
    for slot in ("01:00", "02:00", "03:00"):
        take("a", slot)
    take("b", "03:00")
    assert [(each["sync"], each["slot"][-5:]) for each in jobs.standing()] == [
        ("a", "03:00"), ("b", "03:00"),
    ]  # fmt: skip
    (args,) = rows(
        store, "SELECT args FROM procrastinate_jobs WHERE lock = 'a' AND status = 'todo'"
    )
    job = Job(**args[0])
    assert job.late_at(clock.time) == (
        "late: a worker came 0 min after the slot of 03:00, and 2 before it"
    )


def test_a_job_that_waited_says_for_how_long(store, clock):
    moment = clock.time.isoformat()
    job = Job(sync="a", slot="2026-03-01T02:30", at=moment, put=moment)
    assert job.late_at(clock.time) is None
    later = clock.time + timedelta(minutes=7)
    assert job.late_at(later) == "late: a worker came 7 min after the slot of 02:30"


def test_one_that_is_being_run_keeps_its_place(take, jobs, store):
    take("a", "01:00")
    begin(store)
    take("a", "02:00")
    assert [each["status"] for each in jobs.standing()] == ["doing", "todo"]
    assert begin(store)[1] is None, "two of one sync at a time"


def test_jobs_of_workers_without_a_sign_of_life_are_given_back_and_no_others(take, jobs, store):
    for sync in ("alive", "silent", "dropped"):
        take(sync, "01:00")
    begin(store)
    begin(store, beat="now() - interval '31 seconds'")
    dropped, _ = begin(store)
    with store.write() as connection:
        connection.execute(text(f"DELETE FROM procrastinate_workers WHERE id = {dropped}"))
    assert sorted(jobs.sweep()) == ["dropped", "silent"]
    assert {each["sync"]: each["status"] for each in jobs.standing()} == {
        "alive": "doing", "silent": "todo", "dropped": "todo",
    }  # fmt: skip
    assert jobs.sweep() == []


def test_jobs_that_ended_a_week_ago_are_dropped(take, jobs, store):
    take("old", "01:00")
    take("new", "01:00")
    with store.write() as connection:
        connection.execute(text("UPDATE procrastinate_jobs SET status = 'cancelled'"))
        connection.execute(
            text("UPDATE procrastinate_events SET at = now() - interval '8 days' WHERE job_id = 1")
        )
    jobs.forget()
    assert [row.lock for row in rows(store, "SELECT lock FROM procrastinate_jobs")] == ["new"]


def test_tables_of_an_earlier_version_are_brought_up_to_date(store, jobs):
    from procrastinate.schema import SchemaManager

    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    earlier = [step for step in steps if step.stem < "03.03"]
    functions = "SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%' ORDER BY 1"
    comment = "SELECT obj_description('procrastinate_jobs'::regclass)"
    new, said = rows(store, functions), rows(store, comment)
    with store.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        for step in earlier:
            driver(connection).execute(step.read_text())
        mark = f"trueup: tables of Procrastinate as of {earlier[-1].stem}"
        connection.execute(text(f"COMMENT ON TABLE procrastinate_jobs IS '{mark}'"))
    ensure_tables(store)
    assert rows(store, functions) == new
    assert rows(store, comment) == said


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("NULL", "a table 'procrastinate_jobs' of another program"),
        ("'trueup: tables of Procrastinate as of 99.0'", "a newer Procrastinate made its queue"),
    ],
)
def test_tables_that_are_not_ours_to_use_are_left_alone(store, comment, told):
    with store.write() as connection:
        connection.execute(text("CREATE TABLE procrastinate_jobs (theirs integer)"))
        connection.execute(text(f"COMMENT ON TABLE procrastinate_jobs IS {comment}"))
    with pytest.raises(StoreError, match=told):
        Jobs.open(store)


def test_any_number_of_workers_may_begin_at_once(database_url, clock, tmp_path):
    stores = [Store.open(database_url, tmp_path, clock) for _ in range(6)]
    barrier, failed = Barrier(len(stores)), []

    def begin(store):
        barrier.wait()
        try:
            Jobs.open(store)
        except StoreError as error:
            failed.append(str(error))

    threads = [Thread(target=begin, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert failed == []

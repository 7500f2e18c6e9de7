"""The audit: each row holds the digest of the one before, so none can be touched unseen."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.data import model_data
from canonical.kind import Kind, Op
from sync.state.audit import Audit, Entry, Event
from sync.state.author import Author
from sync.state.chain import NOTHING, canonical
from sync.state.checking import check
from sync.state.history import History
from sync.state.journal import Journal, Operation, State, new_operation_id
from sync.state.store import Store, audit

COUNT = 6
COLUMNS = ("at", "kind", "sync", "run_id", "budget_ref", "ref", "entry", "previous", "digest")


class Fence:
    def guard(self, connection):
        pass


def append(store, *refs):
    with store.write() as connection:
        entries = [
            Entry(kind=Event.DECISION, sync="s", ref=ref, said={"took": ref}) for ref in refs
        ]
        return Audit(store).append(connection, *entries)


@pytest.fixture
def filled(store, clock):
    """Six rows: the first one of every state, and five decisions."""
    for ref in "ABCDE":
        clock.advance(1)
        append(store, ref)
    return store


def rows(store):
    with store.read() as connection:
        return [
            dict(each)
            for each in connection.execute(select(audit).order_by(audit.c.number)).mappings()
        ]


def put(store, kept):
    """Make the table hold those rows and no others."""
    with store.write() as connection:
        connection.execute(delete(audit))
        if kept:
            connection.execute(insert(audit), kept)


# -- what a row is -------------------------------------------------------------------------------


def test_a_new_state_begins_with_a_row_of_its_own_that_is_in_order(store):
    (first,) = rows(store)
    found = check(store)
    assert (first["number"], first["kind"], first["previous"]) == (1, "genesis", NOTHING)
    assert (found.rows, found.head, found.fault) == (1, first["digest"], None)


def test_the_digest_is_of_the_digest_before_and_the_entry_as_the_docs_say(filled):
    before = NOTHING
    for row in rows(filled):
        said = f"{before}\n{row['entry']}"
        before = sha256(said.encode("ascii")).hexdigest()
        assert row["digest"] == before
        assert row["entry"] == json.dumps(
            json.loads(row["entry"]), sort_keys=True, separators=(",", ":")
        )


def test_a_row_says_who_wrote_it_when_and_under_which_settings(store, clock):
    store.author = Author("ada", "host", "Ada L.", "f00d")
    append(store, "A")
    last = json.loads(rows(store)[-1]["entry"])
    assert last["by"] == {"user": "ada", "host": "host", "name": "Ada L."}
    assert (last["settings"], last["at"]) == ("f00d", clock().isoformat(timespec="microseconds"))


def test_words_of_any_language_and_half_characters_are_in_order(store):
    with store.write() as connection:
        said = {"words": ["Ümläut", "\x00", "\ud800", 'a"\n\\\x7f']}
        Audit(store).append(connection, Entry(kind=Event.DECISION, ref="Ümläut", said=said))
    assert json.loads(rows(store)[-1]["entry"])["said"] == said
    assert check(store).fault is None


def test_what_is_no_json_is_refused_and_nothing_is_appended(store):
    with pytest.raises(TypeError):
        canonical({"amount": object()})


def test_a_transaction_that_is_undone_leaves_no_row(store):
    def fails():
        with store.write() as connection:
            Audit(store).append(connection, Entry(kind=Event.DECISION))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert len(rows(store)) == 1


def test_the_rows_of_a_ref_are_those_of_a_budget_and_its_allocations(store):
    with store.write() as connection:
        entries = [
            Entry(kind=Event.OPERATION, ref=ref, budget_ref=above)
            for ref, above in (("A", ""), ("x", "A"), ("B", ""))
        ]
        Audit(store).append(connection, *entries)
    assert [row.number for row in Audit(store).rows(ref="A")] == [2, 3]


# -- tampering -----------------------------------------------------------------------------------


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("number", range(1, COUNT + 1))
def test_a_row_that_was_changed_is_found(filled, number, column):
    with filled.write() as connection:
        said = {"at": datetime(2020, 1, 1, tzinfo=UTC), "entry": '{"kind":"decision"}'}.get(
            column, "0" * 63 + "1"
        )
        connection.execute(update(audit).where(audit.c.number == number).values({column: said}))
    assert check(filled).number == number


@pytest.mark.parametrize("number", range(1, COUNT + 1))
def test_a_row_that_was_changed_with_its_own_digest_is_found_by_the_next(filled, number):
    head = rows(filled)[-1]["digest"]
    with filled.write() as connection:
        row = rows(filled)[number - 1]
        entry = canonical(json.loads(row["entry"]) | {"said": {"took": "another"}})
        new = sha256(f"{row['previous']}\n{entry}".encode()).hexdigest()
        connection.execute(
            update(audit).where(audit.c.number == number).values(entry=entry, digest=new)
        )
    found = check(filled, head)
    assert found.number == (number + 1 if number < COUNT else COUNT)


@pytest.mark.parametrize("number", range(1, COUNT))
def test_a_row_that_is_missing_is_found(filled, number):
    kept = [row for row in rows(filled) if row["number"] != number]
    put(filled, kept)
    assert check(filled).number == (number + 1 if number > 1 else 2)


def test_a_last_row_that_is_missing_is_found_by_a_head_that_was_kept(filled):
    head = Audit(filled).head()[1]
    put(filled, rows(filled)[:-1])
    assert check(filled).fault is None
    assert "missing" in check(filled, head).fault


def test_a_head_that_was_kept_some_rows_ago_is_found_in_the_chain(filled):
    assert check(filled, rows(filled)[2]["digest"].upper()).fault is None


@pytest.mark.parametrize("one", range(1, COUNT))
def test_two_rows_that_changed_places_are_found(filled, one):
    kept = rows(filled)
    kept[one - 1], kept[one] = kept[one] | {"number": one}, kept[one - 1] | {"number": one + 1}
    put(filled, kept)
    assert check(filled).number == one


def test_an_emptied_table_is_found_also_when_somebody_goes_on_writing(filled):
    put(filled, [])
    assert check(filled).fault is not None
    append(filled, "A")
    assert "first" in check(filled).fault


def test_a_run_that_ended_and_of_which_no_row_tells_is_found(store, clock):
    clock.advance(1)
    history = History(store)
    history.start("r1", "s", "run", clock())
    history.finish("r1", "ok", clock(), {})
    assert check(store).fault is None
    put(store, rows(store)[:-1])
    assert "r1" in check(store).fault


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A state of its own, with a dozen rows."""
    store = Store.open(
        "sqlite:///trueup.db",
        tmp_path_factory.mktemp("chain"),
        lambda: datetime(2026, 3, 1, tzinfo=UTC),
    )
    append(store, *"ABCDEFGHIJK")
    yield store
    store.close()


def in_order(found):
    return sorted(found, key=lambda row: row["number"])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_whatever_is_done_to_the_rows_is_found_by_who_kept_the_head(chain, data):
    kept = rows(chain)
    head = kept[-1]["digest"]
    new = [dict(row) for row in kept]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(new) - 1))
        deed = data.draw(st.sampled_from(["drop", "swap", "change", "double"]))
        if deed == "drop" and len(new) > 1:
            del new[at]
        elif deed == "swap":
            other = data.draw(st.integers(0, len(new) - 1))
            new[at], new[other] = new[other], new[at]
        elif deed == "change":
            column = data.draw(st.sampled_from(COLUMNS[1:]))
            new[at] = new[at] | {column: data.draw(st.text("abc01\n{}", max_size=5))}
        elif deed == "double":
            new.insert(at, new[at])
    if data.draw(st.booleans()):
        new = [row | {"number": number} for number, row in enumerate(new, 1)]
    try:
        put(chain, new)
        found = check(chain, head)
        assert (found.fault is None) == (in_order(new) == kept)
    except IntegrityError:
        pass  # the table itself takes no two rows of one number
    finally:
        put(chain, kept)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_statement_of_the_docs_finds_what_was_changed(filled):
    statement = text(
        "SELECT number FROM audit WHERE digest <>"
        " encode(sha256(convert_to(previous || E'\\n' || entry, 'UTF8')), 'hex')"
    )
    with filled.write() as connection:
        assert connection.execute(statement).all() == []
        connection.execute(update(audit).where(audit.c.number == 3).values(entry="{}"))
        assert connection.execute(statement).scalars().all() == [3]


# -- what journal and history tell ---------------------------------------------------------------


def budget(amount, **more):
    return Budget(ref="CC-1", name="One", amount=Amount.of(amount, "USD"), **more)


def operation(op=Op.CREATE, **more):
    id, key = new_operation_id()
    draft = {"model": model_data(budget("20.00")), "container": None, "stamp": None, "stated": "00"}
    given = {"kind": Kind.BUDGET, "ref": "CC-1", "draft": draft} | more
    return Operation(id=id, key=key, run_id="r1", seq=0, op=op, **given)


@pytest.fixture
def journal(store):
    return Journal(store, "s", Fence())


def last(store):
    return json.loads(rows(store)[-1]["entry"])


def test_an_update_is_told_field_by_field_with_its_time_and_the_vendors_ids(store, journal, clock):
    made = operation(Op.UPDATE, fields=("amount",), before={"amount": "10.00"}, target_id="t")
    journal.plan([made])
    journal.sent(made.id, "print", made.draft)
    at = clock().isoformat(timespec="microseconds")
    clock.advance(5)
    journal.applied(made.id, "t", None, ["req-1"])
    told = last(store)
    assert (told["kind"], told["sync"], told["run_id"], told["ref"]) == (
        "operation",
        "s",
        "r1",
        "CC-1",
    )
    assert told["said"] == {
        "id": made.id, "seq": 0, "op": "update", "kind": "budget", "target_id": "t", "key": made.key,
        "state": "applied", "error": None, "sent_at": at, "request_ids": ["req-1"],
        "fields": {"amount": {"before": "10.00", "after": "20.00"}}, "currency": "USD",
    }  # fmt: skip


def test_what_was_told_and_rolled_back_is_in_neither(store, journal):
    made = operation()
    journal.plan([made])
    journal.sent(made.id, "print", made.draft)

    def fails(connection):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal.applied(made.id, "t", fails)
    assert len(rows(store)) == 1
    assert journal.open()[0].state is State.SENT


def test_one_that_waits_is_told_once(store, journal):
    made = operation()
    journal.plan([made])
    journal.sent(made.id, "print", made.draft)
    for _ in range(3):
        journal.ended(made.id, State.UNCERTAIN, "no answer")
    assert [row["kind"] for row in rows(store)] == ["genesis", "operation"]


def test_what_was_planned_and_never_sent_is_told_in_one_row(store, journal):
    journal.plan([operation(), replace(operation(), seq=1)])
    assert journal.abandon_planned("r2") == 2
    assert last(store)["said"] == {"operations": 2}


def test_no_secret_is_kept_in_audit_report_or_error(store, journal, clock):
    store.mask = lambda text: text.replace("s3cret", "***")
    made = operation(Op.UPDATE, ref="CC-s3cret", fields=("name",), before={"name": "by s3cret"})
    journal.plan([made])
    journal.ended(made.id, State.REJECTED, "not s3cret")
    History(store).start("r1", "s", "run", clock())
    History(store).finish("r1", "failed", clock(), {"error": "s3cret", "counts": {}})
    with store.read() as connection:
        held = [str(connection.execute(text(f"SELECT {what}")).all()) for what in (
            "* FROM audit", "* FROM runs", "before, error FROM operations")]  # fmt: skip
    assert "s3cret" not in str(held)
    assert check(store).fault is None


# -- many at once --------------------------------------------------------------------------------

APPENDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from sync.state.audit import Audit, Entry, Event
from sync.state.store import Store

store = Store.open(sys.argv[1], Path("/"), lambda: datetime.now(UTC))
def work():
    for _ in range(15):
        with store.write() as connection:
            Audit(store).append(connection, *[Entry(kind=Event.DECISION, sync=sys.argv[2])] * 2)
sys.stdin.readline()
threads = [Thread(target=work) for _ in range(2)]
[each.start() for each in threads]
[each.join() for each in threads]
"""


def test_processes_and_threads_that_append_at_once_make_one_chain(database_url, store):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, database_url, name], stdin=subprocess.PIPE, text=True
        )
        for name in "ab"
    ]
    for each in started:
        each.communicate("\n", timeout=120)
    found = check(store)
    assert (found.rows, found.fault) == (1 + 2 * 2 * 15 * 2, None)
    assert {row.sync for row in Audit(store).rows()} == {"", "a", "b"}


def test_a_copy_of_the_state_is_in_order_and_goes_on(tmp_path):
    now = lambda: datetime(2026, 3, 1, tzinfo=UTC)  # noqa: E731
    first = Store.open("sqlite:///one.db", tmp_path, now)
    head = append(first, "A")
    first.close()
    (tmp_path / "two.db").write_bytes(Path(tmp_path / "one.db").read_bytes())
    second = Store.open("sqlite:///two.db", tmp_path, now)
    append(second, "B")
    assert check(second, head).fault is None
    second.close()

"""What is old goes, behind a seal; what anything needs stays, and the chain can be checked."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from canonical.compare import Baseline
from canonical.kind import Kind, Op
from canonical.waiting import Rule, Waiting
from sync.decided import Take
from sync.state.approvals import Approvals, Request
from sync.state.audit import Audit
from sync.state.author import Author
from sync.state.checking import check
from sync.state.decisions import Decided, Ruling
from sync.state.history import History
from sync.state.journal import Journal, Operation, State, new_operation_id
from sync.state.ledger import Ledger
from sync.state.retention import BrokenChain, Retention
from sync.state.store import audit, operations, runs
from sync.state.waits import Question, Waits

DAY = 24 * 3600


class Fence:
    def guard(self, connection):
        pass


def operation(run_id):
    id, key = new_operation_id()
    model = {"ref": "A", "name": "A", "amount": {"value": "30.00", "currency": "USD"}}
    return Operation(
        id=id, key=key, run_id=run_id, seq=0, op=Op.UPDATE, kind=Kind.BUDGET, ref="A",
        fields=("amount",), before={"amount": "10.00", "currency": "USD"}, draft={"model": model},
    )  # fmt: skip


@pytest.fixture
def past(store, clock, monkeypatch):
    """Fifteen runs, one a day, each with one update from 10 to 30 dollars; now is the last day."""
    monkeypatch.setattr(
        "sync.state.audited.sent", lambda draft: {"amount": "30.00", "currency": "USD"}
    )
    for number in range(15):
        run(store, clock, f"r{number}")
        clock.advance(DAY)
    return store


def run(store, clock, run_id, outcome="ok", state=State.APPLIED):
    journal, made = Journal(store, "s", Fence()), operation(run_id)
    History(store).start(run_id, "s", "run", clock())
    journal.plan([made])
    journal.sent(made.id, "print", made.draft)
    if state is State.APPLIED:
        journal.applied(made.id, "t")
    elif state is not State.SENT:
        journal.ended(made.id, state, "why")
    History(store).finish(run_id, outcome, clock(), {"counts": {}})


def left(store):
    with store.read() as connection:
        of_runs = connection.execute(select(runs.c.run_id).order_by(runs.c.number)).scalars().all()
        done = (
            connection.execute(select(operations.c.run_id).order_by(operations.c.number))
            .scalars()
            .all()
        )
    return of_runs, done


def test_rows_runs_and_operations_go_and_a_row_sums_them_up(past, clock):
    before = clock() - timedelta(days=12, hours=1)
    gone = Retention(past).forget(before)
    assert (gone.rows, gone.runs, gone.operations) == (1 + 3 * 3, 3, 3)
    said = next(row for row in Audit(past).rows() if row.kind == "forget").data["said"]
    assert said["kinds"] == {"genesis": 1, "run": 6, "operation": 3}
    assert said["states"] == {"applied": 3}
    assert said["money"] == {"USD": {"raised": "60.00", "lowered": "0"}}
    found = check(past)
    assert (found.fault, found.forgotten, found.head) == (None, 10, gone.head)
    assert left(past) == ([f"r{n}" for n in range(3, 15)],) * 2


def test_an_offer_says_what_then_goes_and_changes_nothing(past, clock):
    before = clock() - timedelta(days=12, hours=1)
    offer, head = Retention(past).offer(before), Audit(past).head()
    assert Audit(past).head() == head
    gone = Retention(past).forget(before)
    assert (offer.rows, offer.runs, offer.operations) == (gone.rows, gone.runs, gone.operations)


def test_a_second_time_counts_what_the_first_seal_stood_for(past, clock):
    Retention(past).forget(clock() - timedelta(days=12, hours=1))
    clock.advance(40 * DAY)
    gone = Retention(past).forget(clock() - timedelta(days=1))
    (row,) = Audit(past).rows()
    assert gone.rows == 1 + 15 * 3 + 1 - 10
    assert row.data["said"]["kinds"] == {"genesis": 1, "run": 30, "operation": 15, "forget": 1}
    assert row.data["said"]["money"]["USD"]["raised"] == "300.00"
    assert check(past).fault is None


def test_the_last_runs_stay_however_old(past, clock):
    clock.advance(400 * DAY)
    Retention(past).forget(clock() - timedelta(days=1))
    assert left(past)[0] == [f"r{n}" for n in range(5, 15)]


@pytest.mark.parametrize("state", [State.SENT, State.UNCERTAIN])
def test_a_run_with_a_write_of_unknown_outcome_stays(past, clock, state):
    with past.write() as connection:
        connection.execute(
            update(operations).where(operations.c.run_id == "r1").values(state=state)
        )
    Retention(past).forget(clock() - timedelta(days=12, hours=1))
    of_runs, done = left(past)
    assert "r1" in of_runs
    assert "r1" in done
    assert "r0" not in of_runs


def test_what_was_meant_since_the_last_good_run_stays(past, clock):
    with past.write() as connection:
        connection.execute(update(runs).where(runs.c.run_id != "r1").values(outcome="partial"))
    Retention(past).forget(clock() - timedelta(days=2))
    assert left(past)[0] == [f"r{n}" for n in range(1, 15)]


def test_a_run_that_a_baseline_names_stays_as_a_line(past, clock):
    ledger = Ledger(past, "s")
    with past.write() as connection:
        ledger.save(
            connection, kind=Kind.BUDGET, ref="A", budget_ref="", target_id="t", origin="created",
            baseline=Baseline(("A",), ("A",)), source=b"", run_id="r0",
        )  # fmt: skip
    Retention(past).forget(clock() - timedelta(days=12, hours=1))
    of_runs, done = left(past)
    assert "r0" in of_runs
    assert "r0" not in done
    assert History(past).get("r0").report is None


def test_a_chain_with_a_fault_is_not_sealed(past, clock):
    with past.write() as connection:
        connection.execute(delete(audit).where(audit.c.number == 3))
    with pytest.raises(BrokenChain, match="row 4"):
        Retention(past).forget(clock() - timedelta(days=12))
    assert len(left(past)[0]) == 15


def test_rows_that_are_missing_before_the_first_are_found_where_no_seal_tells_of_them(past, clock):
    Retention(past).forget(clock() - timedelta(days=12, hours=1))
    first = next(Audit(past).rows()).number
    with past.write() as connection:
        connection.execute(delete(audit).where(audit.c.number == first))
    assert check(past).number == first + 1


def test_a_digest_that_was_kept_of_the_last_row_that_went_is_still_known(past, clock):
    kept = [row.digest for row in Audit(past).rows()]
    Retention(past).forget(clock() - timedelta(days=12, hours=1))
    assert check(past, kept[9]).fault is None
    assert "forgotten" in check(past, kept[5]).fault


def closed(store, clock):
    """Three questions of which two are decided and done, and a plan that was rejected."""
    queue, decided = Waits(store), Decided(store)
    questions = [
        Question(waiting=Waiting(rule=Rule.DRIFT, reason="x", kind=Kind.BUDGET, ref=ref))
        for ref in "ABC"
    ]
    with store.write() as connection:
        queue.record(connection, "s", "r", questions, tuple(Rule))
    for number in (1, 2):
        decided.decide([Ruling(wait=queue.get([number])[number], take=Take.SOURCE)])
    request = Request(
        plan_id="p", sync="s", digest="d", deeds="e", reason="much", asked_at=clock(),
        asked_by="ann", until=clock() + timedelta(days=7),
    )  # fmt: skip
    with store.write() as connection:
        Approvals(store).ask(connection, request, "{}")
    Approvals(store).reject(request, Author("bob", "h"), None)
    with store.write() as connection:
        queue.close(connection, [1, 2, 3])
        decided.close(connection, decided.open("s").numbers)


def test_what_waits_no_more_and_was_decided_goes_and_no_number_comes_twice(store, clock):
    closed(store, clock)
    clock.advance(8 * DAY)
    before = clock() - timedelta(hours=1)
    offer = Retention(store).offer(before)
    gone = Retention(store).forget(before)
    assert gone.closed == offer.closed == {"waits": 2, "decisions": 1, "approvals": 1}
    (said,) = [row.data["said"] for row in Audit(store).rows() if row.kind == "forget"]
    assert (said["waits"], said["decisions"], said["approvals"]) == (2, 1, 1)
    again = Question(waiting=Waiting(rule=Rule.DRIFT, reason="x", kind=Kind.BUDGET, ref="D"))
    with store.write() as connection:
        Waits(store).record(connection, "s", "r", [again], tuple(Rule))
    (wait,) = Waits(store).queue().waits
    assert wait.number == 4
    Decided(store).decide([Ruling(wait=wait, take=Take.SOURCE)])
    assert Decided(store).open("s").numbers == [3]
    assert check(store).fault is None


def test_what_waits_still_stays_and_a_rejected_plan_in_its_time(store, clock):
    closed(store, clock)
    again = Question(waiting=Waiting(rule=Rule.DRIFT, reason="x", kind=Kind.BUDGET, ref="D"))
    with store.write() as connection:
        Waits(store).record(connection, "s", "r", [again], tuple(Rule))
    clock.advance(2 * DAY)
    gone = Retention(store).forget(clock() - timedelta(hours=1))
    assert gone.closed == {"waits": 3, "decisions": 1, "approvals": 0}
    assert [each.number for each in Waits(store).queue().waits] == [4]
    assert Approvals(store).rejected("s", "e") is not None

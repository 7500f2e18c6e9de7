"""The journal: on the disk before a request leaves, and one outcome for each."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from canonical.kind import Kind, Op
from sync.state.audit import Audit
from sync.state.history import History
from sync.state.journal import Journal, JournalError, Operation, State, key_of, new_operation_id
from sync.state.lease import LeaseLost


class Fence:
    def __init__(self):
        self.lost = False

    def guard(self, connection):
        assert connection.in_transaction()
        if self.lost:
            raise LeaseLost("taken over")


@pytest.fixture
def fence():
    return Fence()


@pytest.fixture
def journal(store, fence):
    return Journal(store, "erp-to-brex", fence)


def operation(seq=0, run_id="run-1", ref=None, **more):
    id, key = new_operation_id()
    given = {"op": Op.CREATE, "kind": Kind.BUDGET, "ref": ref or f"CC-{seq}"} | more
    return Operation(id=id, key=key, run_id=run_id, seq=seq, **given)


def planned(journal, *args, **kwargs):
    made = operation(*args, **kwargs)
    journal.plan([made])
    return made.id


def sent(journal, *args, **kwargs):
    id = planned(journal, *args, **kwargs)
    journal.sent(id, "print", {"model": 1})
    return id


def the(journal, id, run_id="run-1"):
    (found,) = [each for each in journal.of_run(run_id) if each.id == id]
    return found


def test_an_operation_comes_back_as_it_was_planned_in_the_order_of_its_run(journal):
    first = operation(
        1, op=Op.UPDATE, kind=Kind.ALLOCATION, budget_ref="CC-9", target_id="t-1",
        fields=("amount", "name"), before={"amount": "1.00"}, draft=["ü", None],
    )  # fmt: skip
    journal.plan([operation(2), first])
    found = journal.of_run("run-1")
    assert found[0] == replace(first, sync="erp-to-brex")
    assert [each.seq for each in found] == [1, 2]


def test_a_key_is_derived_from_its_operation_and_no_other_has_it():
    id, key = new_operation_id()
    assert key_of(id) == key
    assert new_operation_id()[1] != key


def test_planning_is_all_or_nothing(journal):
    twice = operation(1)
    with pytest.raises(JournalError, match="already"):
        journal.plan([operation(0), twice, replace(twice, seq=2)])
    assert journal.of_run("run-1") == []


def test_a_request_is_written_down_before_it_leaves(journal, clock):
    id = sent(journal)
    row = the(journal, id)
    assert (row.state, row.fingerprint, row.draft) == (State.SENT, "print", {"model": 1})
    assert (row.sent_at, row.ended_at) == (clock(), None)
    assert journal.open() == [row]


def test_an_operation_cannot_be_sent_twice(journal):
    id = sent(journal)
    with pytest.raises(JournalError, match="is sent and cannot become sent"):
        journal.sent(id, "print", {"model": 1})


@pytest.mark.parametrize(
    "state", [State.APPLIED, State.REJECTED, State.DEFERRED, State.SKIPPED, State.LOST]
)
def test_what_has_ended_can_be_neither_sent_nor_ended_again(journal, state):
    id = sent(journal)
    if state is State.APPLIED:
        journal.applied(id, "t-1")
    else:
        journal.ended(id, state, "said")
    with pytest.raises(JournalError):
        journal.sent(id, "print", None)
    with pytest.raises(JournalError):
        journal.ended(id, State.REJECTED, "again")
    with pytest.raises(JournalError):
        journal.applied(id, "t-2")
    assert the(journal, id).state is state


def test_what_never_left_cannot_have_happened_nor_be_in_doubt(journal):
    id = planned(journal)
    with pytest.raises(JournalError):
        journal.applied(id, "t-1")
    for state in (State.UNCERTAIN, State.LOST):
        with pytest.raises(JournalError):
            journal.ended(id, state, None)


def test_an_uncertain_operation_is_repeated_with_the_same_request_and_its_first_time(
    journal, clock
):
    id = sent(journal)
    first = clock()
    journal.ended(id, State.UNCERTAIN, "no answer")
    clock.advance(60)
    with pytest.raises(JournalError):
        journal.sent(id, "another print", {"model": 2})
    journal.sent(id, "print", {"model": 1})
    assert the(journal, id).sent_at == first


def test_an_outcome_and_its_memory_are_kept_together(journal, store, clock):
    id = sent(journal)
    seen = []
    clock.advance(1)
    journal.applied(id, "t-1", lambda connection: seen.append(connection))
    row = the(journal, id)
    assert (row.state, row.target_id, row.ended_at) == (State.APPLIED, "t-1", clock())
    assert len(seen) == 1
    assert journal.open() == []


def test_an_outcome_whose_memory_fails_is_not_kept(journal):
    id = sent(journal)
    with pytest.raises(ZeroDivisionError):
        journal.applied(id, "t-1", lambda connection: 1 / 0)
    assert the(journal, id).state is State.SENT


def test_open_operations_are_those_of_any_run_oldest_first(journal, clock):
    first = sent(journal, run_id="run-1")
    second = sent(journal, run_id="run-2")
    planned(journal, 1)
    journal.applied(sent(journal, 2), "t-2")
    journal.ended(second, State.UNCERTAIN, "no answer")
    assert [(each.id, each.state) for each in journal.open()] == [
        (first, State.SENT),
        (second, State.UNCERTAIN),
    ]


def test_doubt_has_no_end_until_it_is_settled(journal, clock):
    id = sent(journal)
    journal.ended(id, State.UNCERTAIN, "no answer")
    assert (the(journal, id).ended_at, the(journal, id).error) == (None, "no answer")
    journal.applied(id, "t-1")
    assert (the(journal, id).ended_at, the(journal, id).error) == (clock(), None)


def test_what_an_earlier_run_never_sent_is_abandoned(journal):
    earlier, mine = planned(journal, run_id="run-1"), planned(journal, run_id="run-2")
    underway = sent(journal, run_id="run-1")
    assert journal.abandon_planned("run-2") == 1
    assert the(journal, earlier).state is State.ABANDONED
    assert the(journal, underway).state is State.SENT
    assert the(journal, mine, "run-2").state is State.PLANNED


def test_what_was_meant_and_not_done_is_known_by_its_whole_key(journal):
    journal.plan([operation(0, ref="A"), operation(1, ref="B", op=Op.UPDATE)])
    journal.plan([operation(2, ref="A", budget_ref="CC", kind=Kind.ALLOCATION)])
    journal.applied(sent(journal, 3, ref="C"), "t")
    keys = [("", "A"), ("CC", "A"), ("", "B"), ("", "C"), *(("", f"X{n}") for n in range(2500))]
    assert {*journal.unfinished(Kind.BUDGET, keys)} == {("", "A"), ("", "B")}
    assert journal.unfinished(Kind.BUDGET, [("CC", "A")]) == {}
    assert {*journal.unfinished(Kind.ALLOCATION, keys)} == {("CC", "A")}


def test_a_run_is_counted_by_state(journal):
    planned(journal, 0)
    journal.applied(sent(journal, 1), "t")
    journal.applied(sent(journal, 2), "u")
    planned(journal, run_id="run-2")
    assert journal.counts("run-1") == {"planned": 1, "applied": 2}


def test_another_sync_sees_and_changes_nothing_of_ours(journal, store, fence):
    id = sent(journal)
    planned(journal, 1)
    other = Journal(store, "erp-to-bill", fence)
    assert other.open() == other.of_run("run-1") == []
    assert other.counts("run-1") == {}
    assert other.unfinished(Kind.BUDGET, [("", "CC-0")]) == {}
    assert other.abandon_planned("run-9") == 0
    with pytest.raises(JournalError, match="not in the journal"):
        other.applied(id, "t-1")


@pytest.mark.parametrize(
    "step",
    [
        lambda journal, id: journal.plan([operation(9)]),
        lambda journal, id: journal.sent(id, "print", None),
        lambda journal, id: journal.ended(id, State.SKIPPED, None),
        lambda journal, id: journal.abandon_planned("run-9"),
    ],
    ids=["plan", "sent", "ended", "abandon"],
)
def test_a_run_that_was_taken_over_writes_nothing(journal, fence, step):
    id = planned(journal)
    before = journal.of_run("run-1")
    fence.lost = True
    with pytest.raises(LeaseLost):
        step(journal, id)
    assert journal.of_run("run-1") == before


def test_a_run_that_was_taken_over_cannot_report_an_outcome(journal, fence):
    id = sent(journal)
    fence.lost = True
    with pytest.raises(LeaseLost):
        journal.applied(id, "t-1", lambda connection: pytest.fail("remembered"))
    assert the(journal, id).state is State.SENT


def test_without_a_lease_a_journal_can_only_be_read(journal, store):
    id = planned(journal)
    reader = Journal(store, "erp-to-brex")
    assert [each.id for each in reader.of_run("run-1")] == [id]
    with pytest.raises(JournalError, match="for reading"):
        reader.sent(id, "print", None)


def test_moments_keep_their_zone(journal):
    id = sent(journal)
    assert the(journal, id).sent_at.utcoffset() == timedelta()


def test_what_was_written_of_late_is_told_with_what_it_hangs_below(journal, store):
    share = {"op": Op.UPDATE, "kind": Kind.ALLOCATION, "budget_ref": "CC-9", "target_id": "t-1"}
    id = sent(journal, 1, **share)
    planned(journal, 2, target_id="t-2", op=Op.UPDATE)
    now = store.now()
    assert journal.written_since(now - timedelta(seconds=60)) == {("CC-9", "t-1")}
    journal.ended(id, State.UNCERTAIN, "no answer")
    assert journal.written_since(now - timedelta(seconds=60)) == {("CC-9", "t-1")}
    assert journal.written_since(now + timedelta(seconds=60)) == set()


def test_no_secret_is_kept_of_what_was_there_before(journal, store):
    store.mask = lambda text: text.replace("bxt_secret", "***")
    id = planned(journal, before={"name": "bxt_secret"})
    assert the(journal, id).before == {"name": "***"}


def test_two_that_end_alike_each_have_their_row_and_one_that_still_waits_has_one(journal, store):
    for seq in (1, 2):
        journal.ended(sent(journal, seq), State.REJECTED, "too much")
    waiting = sent(journal, 3)
    for _ in range(3):
        journal.ended(waiting, State.UNCERTAIN, "no answer")
    entries = [json.loads(row.entry) for row in Audit(store).rows()]
    told = [each["said"]["state"] for each in entries if each["kind"] == "operation"]
    assert told == ["rejected", "rejected", "uncertain"]


def test_a_good_run_of_another_sync_settles_nothing_of_ours(journal, store):
    history = History(store)
    history.start("run-1", "erp-to-brex", "run", store.now())
    sent(journal, ref="A")
    history.start("other", "erp-to-bill", "run", store.now())
    history.finish("other", "ok", store.now(), {})
    assert {*journal.unfinished(Kind.BUDGET, [("", "A")])} == {("", "A")}
    history.finish("run-1", "ok", store.now(), {})
    assert journal.unfinished(Kind.BUDGET, [("", "A")]) == {}


def test_of_what_was_meant_twice_the_last_counts(journal):
    failed = sent(journal, 1, run_id="run-1", ref="A")
    journal.ended(failed, State.REJECTED, "no")
    assert journal.unfinished(Kind.BUDGET, [("", "A")])[("", "A")].id == failed
    journal.applied(sent(journal, 1, run_id="run-2", ref="A"), "t-1")
    assert journal.unfinished(Kind.BUDGET, [("", "A")]) == {}


def test_what_later_runs_wrote_is_told_in_their_order_and_by_the_whole_key(journal):
    sent(journal, 1, run_id="run-1", ref="A")
    later = [sent(journal, 1, run_id=run, ref="A", op=Op.UPDATE) for run in ("run-2", "run-3")]
    planned(journal, 2, run_id="run-3", ref="A", op=Op.UPDATE)
    sent(journal, 3, run_id="run-3", ref="A", budget_ref="CC")
    found = journal.since("run-1", Kind.BUDGET, [("", "A"), ("", "B")])
    assert {key: [each.id for each in those] for key, those in found.items()} == {("", "A"): later}


def test_a_create_that_was_lost_is_known_by_its_whole_key_and_kind(journal):
    journal.ended(sent(journal, 1, ref="A"), State.LOST, None)
    journal.applied(sent(journal, 2, ref="B"), "t-1")
    journal.ended(sent(journal, 3, ref="C", op=Op.UPDATE), State.LOST, None)
    keys = [("", "A"), ("", "B"), ("", "C"), ("CC", "A")]
    assert journal.lost(Kind.BUDGET, keys) == {("", "A")}
    assert journal.lost(Kind.ALLOCATION, keys) == set()


def test_creates_that_were_applied_of_late_are_told_in_their_order(journal, store):
    made = [sent(journal, seq) for seq in (1, 2)]
    for id in made:
        journal.applied(id, f"t-{id}")
    journal.applied(sent(journal, 3, op=Op.UPDATE), "t-3")
    sent(journal, 4)
    minute = timedelta(seconds=60)
    assert [each.id for each in journal.made_since(store.now() - minute)] == made
    assert journal.made_since(store.now() + minute) == []

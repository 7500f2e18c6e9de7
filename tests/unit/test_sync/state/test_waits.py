"""Waits and decisions: what stays open keeps its number, and what was decided holds until it moves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select

from canonical.kind import Kind
from canonical.waiting import Rule, Waiting
from sync.decided import Take
from sync.state.audit import Audit
from sync.state.decisions import Decided, Ruling
from sync.state.store import approvals, decisions
from sync.state.waits import Question, Undecidable, Waits

WAYS = ("source", "target", "VALUE")


def asked(ref="A", field="amount", source="100.00", target="120.00", rule=Rule.CONFLICT):
    return Question(
        waiting=Waiting(
            rule=rule, reason="both moved", kind=Kind.BUDGET, ref=ref, field=field, name=ref,
            source=source, target=target, agreed=(("x", "1"),), money="20.00 USD",
        ),
        ways=WAYS,
    )  # fmt: skip


@pytest.fixture
def waits(store):
    return Waits(store)


@pytest.fixture
def record(store, waits):
    """What a run of a sync leaves open; returns how many wait."""

    def record(*questions, sync="s", judged=tuple(Rule)):
        with store.write() as connection:
            return waits.record(connection, sync, "run", questions, judged)

    return record


def listed(waits, syncs=None):
    return [(each.number, each.waiting.ref) for each in waits.queue(syncs).waits]


def decide(store, waits, number, take=Take.SOURCE, value=None, note=None):
    wait = waits.get([number])[number]
    Decided(store).decide([Ruling(wait=wait, take=take, value=value, note=note)])


def test_a_wait_comes_back_as_it_was_said(waits, record):
    record(asked())
    (wait,) = waits.queue().waits
    assert wait.question == asked()


def test_what_is_asked_again_keeps_its_number_and_its_beginning(waits, record, clock):
    record(asked("A"), asked("B"))
    began = clock()
    clock.advance(3600)
    record(asked("C"), asked("B"))
    assert [(each.number, each.waiting.ref) for each in waits.queue().waits] == [(2, "B"), (3, "C")]
    assert [each.since for each in waits.queue().waits] == [began, clock()]


def test_what_asks_of_other_values_has_another_number_and_the_old_one_decides_nothing(
    store, waits, record, clock
):
    record(asked("A", target="130.00"))
    began = clock()
    clock.advance(3600)
    record(asked("A", target="9000.00"))
    (wait,) = waits.queue().waits
    assert (wait.number, wait.since, wait.waiting.target) == (2, began, "9000.00")
    assert waits.get([1]) == {}


def test_a_guard_that_counts_on_keeps_its_number(waits, record):
    record(asked("", rule=Rule.GUARD, target="31%"))
    record(asked("", rule=Rule.GUARD, target="32%"))
    assert [(each.number, each.waiting.target) for each in waits.queue().waits] == [(1, "32%")]


def test_a_number_is_never_used_again(waits, record):
    record(asked("A"))
    record()
    assert waits.queue().count == 0
    record(asked("A"))
    assert listed(waits) == [(2, "A")]


def test_a_run_that_made_no_plan_closes_only_what_it_judged(waits, record):
    record(asked("A"), asked("B", rule=Rule.UNCERTAIN))
    record(judged=(Rule.UNCERTAIN,))
    assert listed(waits) == [(1, "A")]


def test_numbers_are_one_count_over_all_syncs_and_each_closes_its_own(waits, record):
    record(asked("A"), sync="b")
    record(asked("A"), sync="a")
    assert [(each.sync, each.number) for each in waits.queue().waits] == [("a", 2), ("b", 1)]
    record(sync="a")
    assert listed(waits) == [(1, "A")]
    assert waits.counts(["a", "b"]) == {"b": 1}


def test_what_is_decided_is_listed_as_such_and_counts_no_more(store, waits, record):
    assert record(asked("A"), asked("B")) == 2
    decide(store, waits, 1, note="agreed with ann")
    assert waits.counts(["s"]) == {"s": 1}
    answer = waits.get([1])[1].answer
    assert (answer.take, answer.by, answer.note) == (
        "source", store.author.user, "agreed with ann",
    )  # fmt: skip
    assert record(asked("A"), asked("B")) == 1


def test_a_decision_is_the_planners_by_its_object_and_field(store, waits, record):
    record(asked("A"))
    decide(store, waits, 1, Take.VALUE, "110.00")
    of = Decided(store).open("s").of(Kind.BUDGET, ("", "A"))
    assert of["amount"].holds(asked("A").waiting)
    assert (of["amount"].take, of["amount"].value) == (Take.VALUE, "110.00")
    assert not of["amount"].holds(replace(asked("A").waiting, source="101.00"))
    assert Decided(store).open("s").of(Kind.BUDGET, ("", "B")) == {}
    assert Decided(store).open("t").of(Kind.BUDGET, ("", "A")) == {}


def test_what_moved_after_it_was_decided_waits_again(store, waits, record):
    record(asked("A"))
    decide(store, waits, 1)
    assert record(asked("A", target="125.00")) == 1
    assert waits.get([2])[2].answer is None


def test_a_decision_about_what_moved_meanwhile_is_refused(store, waits, record):
    record(asked("A"))
    shown = waits.get([1])[1]
    record(asked("A", source="99.00"))
    with pytest.raises(Undecidable, match="other values by now"):
        Decided(store).decide([Ruling(wait=shown, take=Take.SOURCE)])
    record()
    with pytest.raises(Undecidable, match="waits no more"):
        Decided(store).decide([Ruling(wait=shown, take=Take.SOURCE)])
    assert Decided(store).open("s").numbers == []


def test_of_two_who_decide_at_once_the_later_one_counts(store, waits, record):
    record(asked("A"))
    shown = waits.get([1])[1]
    for take in (Take.SOURCE, Take.TARGET):
        Decided(store).decide([Ruling(wait=shown, take=take)])
    found = Decided(store).open("s")
    assert len(found.numbers) == 1
    assert found.of(Kind.BUDGET, ("", "A"))["amount"].take is Take.TARGET
    assert waits.get([1])[1].answer.take == "target"


def test_a_decision_is_audited_with_what_it_was_between(store, waits, record):
    record(asked("A"))
    decide(store, waits, 1, Take.VALUE, "110.00", note="board")
    row = [*Audit(store).rows()][-1]
    assert (row.kind, row.sync, row.ref) == ("decision", "s", "A")
    said = row.data["said"]
    assert said == {
        "wait": 1, "rule": "conflict", "kind": "budget", "field": "amount", "take": "value",
        "value": "110.00", "source": "100.00", "target": "120.00", "note": "board",
        "replaces": None,
    }  # fmt: skip


def test_no_secret_is_kept_of_what_waits_or_is_decided(store, waits, record):
    store.mask = lambda text: text.replace("hunter2", "***")
    record(asked("A", field="name", source="hunter2", target="b"))
    decide(store, waits, 1, note="hunter2")
    with store.read() as connection:
        (row,) = connection.execute(select(decisions)).all()
    assert "hunter2" not in str(row)
    assert waits.get([1])[1].waiting.source == "***"


def test_a_plan_that_was_approved_since_waits_no_more(store, waits, record, clock):
    plan = {
        "plan_id": "p", "sync": "s", "digest": "d", "deeds": "e", "plan": "{}", "reason": "over 10%",
        "asked_at": clock(), "asked_by": "ann", "until": clock() + timedelta(days=1),
    }  # fmt: skip
    with store.write() as connection:
        connection.execute(insert(approvals).values(plan))
    record(Question(waiting=Waiting(rule=Rule.APPROVAL, reason="over 10%", ref="p")))
    assert waits.counts(["s"]) == {"s": 1}
    with store.write() as connection:
        connection.execute(approvals.update().values(approved_at=clock()))
    assert (waits.counts(["s"]), waits.queue().count) == ({}, 0)


@pytest.mark.faults
def test_ten_thousand_waits_are_listed_by_one_statement_and_not_all_of_them(store, waits, record):
    record(*(asked(f"R{number:05}") for number in range(10_000)))
    said = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    queue = waits.queue(["s"], limit=20)
    assert (len(queue.waits), queue.count) == (20, 10_000)
    assert len([each for each in said if "FROM waits" in each]) == 1
    assert record() == 0

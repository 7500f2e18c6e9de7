"""What runs leave in the queue, and what becomes of decisions."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Conflict, Plan
from canonical.kind import Kind, Op
from canonical.side import Side
from canonical.waiting import Rule, Waiting
from connectors.contract.records import Draft
from connectors.memory.connector import Memory
from sync.decided import Take
from sync.engine import Engine
from sync.outcome import Exit
from sync.plan import Planner
from sync.queue import RunQueue, asked_by
from sync.send import Statement, draft_data
from sync.spec import Approval, Limits, SyncSpec
from sync.state.approvals import Approvals
from sync.state.author import Author
from sync.state.decisions import Decided
from sync.state.journal import Operation, new_operation_id
from sync.state.store import Store
from sync.state.waits import Undecidable, Waits
from sync.ways import Ways

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def budget(ref, name, number=100):
    return Budget(ref=ref, name=name, amount=Amount.of(number, "USD"))


class Plain(Memory):
    """Bears no stamps."""

    capabilities = replace(Memory.capabilities, stamps=frozenset())


class World:
    def __init__(self, folder):
        self.source, self.target, self.limits = Memory("erp"), Plain("target"), OPEN
        self.now, self.approval = NOW, None
        self.store = Store.open("sqlite:///state.db", folder, lambda: self.now)
        self.waits, self.ways = Waits(self.store), Ways(self.store)

    @property
    def engine(self):
        spec = SyncSpec(name="s", source="erp", target="target", limits=self.limits, parallel=1,
                        approval=self.approval)  # fmt: skip
        return Engine(spec, self.source, self.target, self.store, now=lambda: NOW)

    def run(self):
        return self.engine.run(TODAY, command="test")

    def stranger(self, name="Travel", number=100):
        self.target.put(budget(f"x{number}", name, number))

    def listed(self):
        return [(each.waiting.rule, each.waiting.ref) for each in self.waits.queue().waits]

    def decide(self, number, take):
        wait = self.waits.get([number])[number]
        Decided(self.store).decide([Ways(self.store).ruling(wait, take)])

    def reject(self, request):
        Approvals(self.store).reject(request, Author("bob", "h"), "no budget")

    def names(self):
        return sorted(i.model.name for page in self.target.list(Kind.BUDGET) for i in page.items)


@pytest.fixture
def world(tmp_path, empty_state):
    empty_state(tmp_path)
    world = World(tmp_path)
    with closing(world.store):
        yield world


@pytest.fixture
def fields(monkeypatch):
    """A planner that asks about one field of A for as long as nothing was decided of it, as the
    three-way comparison does; what it was told stands in `told`."""

    class Asking(Planner):
        told, now = [], ("100.00", "120.00")

        def __init__(self, *given, decisions, **named):
            super().__init__(*given, decisions=decisions, **named)
            self._given = decisions

        def plan(self):
            found = super().plan()
            source, target = self.now
            asked = Waiting(
                rule=Rule.CONFLICT, reason="both moved", kind=Kind.BUDGET, ref="A", field="amount",
                source=source, target=target, money="20.00 USD",
            )  # fmt: skip
            decision = self._given.of(Kind.BUDGET, ("", "A")).get("amount")
            if self.now == ("done", "done"):
                return found
            if decision is not None and decision.holds(asked):
                self.told.append(decision.take)
            else:
                found.waits.append(asked)
            return found

    monkeypatch.setattr("sync.planning.Planner", Asking)
    monkeypatch.setattr(Asking, "told", [])
    monkeypatch.setattr(Asking, "now", ("100.00", "120.00"))
    return Asking


def test_a_guard_that_stops_a_run_waits_until_one_is_stopped_no_more(world):
    world.source.put(*(budget(ref, ref) for ref in "ABCD"))
    world.run()
    world.source.put(*(budget(ref, ref, 900) for ref in "ABCD"))
    world.limits = Limits()
    assert world.run().waiting == len(world.listed()) > 0
    wait = world.waits.queue().waits[0]
    assert wait.waiting.rule is Rule.GUARD
    enough = "--allow max_changes=100% --allow max_budget_change=800% --allow max_money=800%"
    assert wait.question.ways == (f"trueup run s {enough}",)
    with pytest.raises(Undecidable, match="trueup run s --allow"):
        world.ways.ruling(wait, "source")
    world.limits = OPEN
    world.run()
    assert world.listed() == []


def test_planning_and_verifying_leave_the_queue_as_it_is(world):
    world.source.put(budget("A", "Travel"), budget("B", "Travel"))
    world.stranger()
    world.engine.plan(TODAY)
    world.engine.verify(TODAY)
    assert world.listed() == []


def test_of_two_that_may_be_one_object_the_decided_one_gets_it_and_the_other_is_made(world):
    world.source.put(budget("A", "Travel"), budget("B", "Travel"))
    world.stranger()
    assert world.run().waiting == 2
    (id,) = world.waits.get([1])[1].waiting.candidates
    world.decide(1, id)
    with pytest.raises(Undecidable, match="it is decided already"):
        world.decide(2, id)
    report = world.run()
    assert (report.verified, world.names(), world.listed()) == (True, ["Travel", "Travel"], [])
    assert world.run().counts["applied"] == 0


def test_one_object_cannot_be_two_in_one_breath(world):
    world.source.put(budget("A", "Travel"), budget("B", "Travel"))
    world.stranger()
    world.run()
    first, second = world.waits.queue().waits
    (id,) = first.waiting.candidates
    world.ways.ruling(first, id)
    with pytest.raises(Undecidable, match="cannot be 1 as well"):
        world.ways.ruling(second, id)


def test_of_none_a_new_one_is_made_and_the_candidates_stay(world):
    world.source.put(budget("A", "Travel"))
    world.stranger()
    world.stranger(number=200)
    world.run()
    world.decide(1, "none")
    assert world.run().verified
    assert world.names() == ["Travel"] * 3
    assert Decided(world.store).open("s").numbers == []


def test_another_candidate_makes_another_question(world):
    world.source.put(budget("A", "Travel"))
    world.stranger()
    world.stranger(number=200)
    world.run()
    world.decide(1, "none")
    world.stranger(number=300)
    assert world.run().waiting == 1
    assert world.names() == ["Travel"] * 3
    (wait,) = world.waits.queue().waits
    assert (wait.number, wait.answer) == (2, None)


def test_a_new_budget_that_may_be_a_vanished_one_is_made_once_somebody_says_so(world):
    world.source.put(budget("A", "Travel"))
    world.run()
    world.source = Memory("erp")
    world.source.put(budget("B", "Travel"))
    assert world.run().waiting == 1
    (wait,) = world.waits.queue().waits
    assert wait.question.ways == ("none", "trueup rename s A B")
    with pytest.raises(Undecidable, match="is no way out"):
        world.ways.ruling(wait, wait.waiting.candidates[0])
    world.decide(1, "none")
    assert world.run().verified
    assert world.names() == ["Travel", "Travel"]


def test_a_decision_holds_until_it_is_done_and_is_closed_then(world, fields):
    world.source.put(budget("A", "Travel"))
    assert world.run().waiting == 1
    world.decide(1, "target")
    for _ in range(2):  # as long as it could not be done
        world.run()
    assert fields.told == [Take.TARGET] * 2 + [Take.TARGET] * (len(fields.told) - 2)
    assert world.listed() == []
    assert len(Decided(world.store).open("s").numbers) == 1
    fields.now = ("done", "done")
    world.run()
    assert Decided(world.store).open("s").numbers == []
    fields.now = ("100.00", "120.00")  # moved again, to what it was: asked again
    assert world.run().waiting == 1


def test_a_decision_of_values_that_moved_is_closed_and_asked_again(world, fields):
    world.source.put(budget("A", "Travel"))
    world.run()
    world.decide(1, "source")
    fields.now = ("100.00", "130.00")
    assert world.run().waiting == 1
    assert fields.told == []
    assert Decided(world.store).open("s").numbers == []


def test_what_is_decided_while_a_run_goes_on_is_for_the_next_one(world, fields):
    world.source.put(budget("A", "Travel"))
    world.run()
    world.source.put(budget("A", "Trips"))
    world.target.before = lambda operation, subject: world.decide(1, "source")
    world.run()
    world.target.before = lambda operation, subject: None
    assert len(Decided(world.store).open("s").numbers) == 1
    world.run()
    assert fields.told
    assert set(fields.told) == {Take.SOURCE}


def test_a_value_is_read_in_the_currency_of_the_wait(world, fields):
    world.source.put(budget("A", "Travel"))
    world.run()
    wait = world.waits.get([1])[1]
    ruling = world.ways.ruling(wait, "110")
    assert (ruling.take, ruling.value) == (Take.VALUE, "110.00")
    with pytest.raises(Undecidable, match="has more than 2 digits"):
        world.ways.ruling(wait, "110.005")
    world.store.mask = lambda text: text.replace("111", "***")
    with pytest.raises(Undecidable, match="holds a secret"):
        world.ways.ruling(wait, "111")


def test_a_run_that_fails_before_it_plans_leaves_the_queue_as_it_is(world):
    world.source.put(budget("A", "Travel"), budget("B", "Travel"))
    world.stranger()
    world.run()
    before = world.listed()

    def fail(*_, **__):
        raise ConnectionError

    listing, world.target.list = world.target.list, fail
    with pytest.raises(ConnectionError):
        world.run()
    world.target.list = listing
    assert world.listed() == before


def test_a_plan_that_waits_for_approval_is_in_the_queue_until_its_time_is_over(world):
    world.approval = Approval()
    world.source.put(budget("A", "Travel"))
    report = world.run()
    assert report.waiting == 1
    (wait,) = world.waits.queue().waits
    id = report.asked.id
    assert wait.waiting.rule is Rule.APPROVAL
    assert wait.question.ways == (f"trueup approve {id}", f"trueup reject {id}")
    asked = report.asked
    who = f"asked for by {asked.asked_by}, until 2026-03-17 00:00 UTC"
    assert wait.waiting.reason == f"every change of this sync needs one ({who})"
    world.now = NOW + timedelta(days=7)
    assert (world.listed(), world.waits.counts(["s"])) == ([], {})


def test_a_guard_that_an_approver_saw_is_let_through_by_the_approval_too(world):
    world.source.put(*(budget(ref, ref) for ref in "ABCD"))
    world.run()
    world.source.put(*(budget(ref, ref, 900) for ref in "ABCD"))
    world.limits, world.approval = Limits(), Approval()
    asked = world.run().asked
    ways = {each.question.ways[0] for each in world.waits.queue().waits}
    assert ways == {f"trueup approve {asked.id}"}
    Approvals(world.store).approve(asked, Author("ada", "h"), None, alone=True)
    assert (world.run().waiting, world.listed()) == (0, [])


def test_what_was_rejected_waits_no_more_and_is_asked_for_anew_once_it_differs(world):
    world.approval = Approval()
    world.source.put(budget("A", "Travel"))
    asked = world.run().asked
    world.reject(asked)
    assert (world.listed(), world.waits.counts(["s"])) == ([], {})
    report = world.run()
    assert (report.asked.id, report.exit_code, report.waiting) == (asked.id, Exit.GUARD, 0)
    assert (report.asked.ended_by, report.asked.note) == ("bob", "no budget")
    world.source.put(budget("A", "Trips"))
    assert world.run().asked.id != asked.id
    world.source.put(budget("A", "Travel"))
    report = world.run()  # again what was rejected, in place of what waits
    assert (report.asked.id, report.waiting) == (asked.id, 0)
    assert Approvals(world.store).open_of("s") is None


def test_what_was_rejected_is_asked_for_again_after_its_time(world):
    world.approval = Approval()
    world.source.put(budget("A", "Travel"))
    asked = world.run().asked
    world.reject(asked)
    world.now = NOW + timedelta(days=7)
    report = world.run()
    assert (report.asked.id == asked.id, report.waiting) == (False, 1)


def test_an_approval_that_was_taken_back_is_not_used(world):
    world.approval = Approval()
    world.source.put(budget("A", "Travel"))
    asked = world.run().asked
    Approvals(world.store).approve(asked, Author("ada", "h"), None, alone=True)
    world.reject(asked)
    assert world.run().approved is None
    assert world.names() == []


def test_what_was_approved_waits_no_more_and_what_was_used_neither(world):
    world.approval = Approval()
    world.source.put(budget("A", "Travel"))
    (asked,) = [world.run().asked]
    Approvals(world.store).approve(asked, Author("ada", "h"), None, alone=True)
    assert (world.listed(), world.waits.counts(["s"])) == ([], {})
    report = world.run()
    assert (report.approved.approved_by, report.waiting, world.listed()) == ("ada", 0, [])


def test_a_plan_in_place_of_another_waits_in_its_place(world):
    world.approval = Approval()
    world.source.put(budget("A", "Travel"))
    first = world.run().asked
    world.source.put(budget("A", "Trips"))
    report = world.run()
    assert report.asked.plan_id != first.plan_id
    assert world.listed() == [(Rule.APPROVAL, report.asked.plan_id)]
    world.approval = None
    assert (world.run().waiting, world.listed()) == (0, [])


def test_a_guard_that_would_stop_the_look_back_waits_for_the_run_that_it_stops(world):
    def push_others(operation, subject):
        if operation == "update":
            for page in world.target.list(Kind.BUDGET):
                for item in page.items:
                    if item.model.ref != "A":
                        world.target.edit(item.id, amount=Amount.of(900, "USD"))

    world.source.put(*(budget(ref, ref) for ref in "ABCD"))
    world.run()
    world.source.put(budget("A", "A", 101))
    world.limits, world.target.after = Limits(), push_others
    assert world.run().counts["applied"] == 1
    assert world.listed() == []
    world.target.after = lambda operation, subject: None
    world.run()
    assert {rule for rule, _ in world.listed()} == {Rule.GUARD}


def test_a_decision_that_a_plan_could_not_ask_about_holds_still(world, fields):
    world.source.put(budget("A", "Travel"))
    world.run()
    world.decide(1, "source")
    world.source.put(budget("C", "Rent"), budget("D", "Rent"))
    world.stranger("Rent")  # as long as something cannot be told, nothing is known of the rest
    fields.now = ("done", "done")
    world.run()
    assert len(Decided(world.store).open("s").numbers) == 1


# -- each by itself ------------------------------------------------------------------------------


SAID = {
    (Op.CREATE, Side.TARGET): ("ID", "not-applied"),
    (Op.UPDATE, Side.TARGET): ("applied", "not-applied"),
    (Op.RETIRE, Side.TARGET): ("applied", "not-applied"),
    (Op.DELETE, Side.TARGET): ("applied", "not-applied"),
    (Op.CREATE, Side.SOURCE): ("ID", "not-applied"),
    (Op.UPDATE, Side.SOURCE): ("applied", "not-applied"),
}
"""What a person can say of a write of unknown outcome."""


def lost(op, side=Side.TARGET):
    id, key = new_operation_id()
    draft = draft_data(Draft(model=budget("A", "Travel")), Statement(b""))
    return Operation(
        id=id, key=key, run_id="r", op=op, seq=0, kind=Kind.BUDGET, ref=f"{op} {side}", side=side,
        draft=None if op in (Op.RETIRE, Op.DELETE) else draft, sent_at=NOW,
    )  # fmt: skip


def test_a_write_of_unknown_outcome_waits_with_its_money_and_what_can_be_said_of_it(world):
    queue = RunQueue(world.store, "s")
    with world.store.write() as connection:
        assert queue.end(connection, "r", [lost(*each) for each in SAID]) == len(SAID)

    waits = {each.waiting.ref: each for each in world.waits.queue().waits}

    assert {ref: each.question.ways for ref, each in waits.items()} == {
        f"{op} {side}": ways for (op, side), ways in SAID.items()
    }
    assert {each.waiting.rule for each in waits.values()} == {Rule.UNCERTAIN}
    money = {ref: (each.waiting.name, each.waiting.money) for ref, each in waits.items()}
    assert money == {
        f"{op} {side}": ("", None) if op in (Op.RETIRE, Op.DELETE) else ("Travel", "100.00 USD")
        for op, side in SAID
    }


def test_what_a_lost_create_may_have_made_can_be_said_by_its_id(world):
    operation, queue = lost(Op.CREATE), RunQueue(world.store, "s")
    queue.candidates = {operation.id: ("x1", "x2")}
    with world.store.write() as connection:
        queue.end(connection, "r", [operation])

    (wait,) = world.waits.queue().waits

    assert wait.question.ways == ("x1", "x2", "not-applied")
    assert wait.waiting.candidates == ("x1", "x2")


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        ((Take.ID, Take.NONE), ("x1", "x2", "none")),
        ((Take.ID, Take.NONE, "trueup rename s A B"), ("x1", "x2", "none", "trueup rename s A B")),
        ((Take.NONE,), ("none",)),
        ((), ()),
    ],
)
def test_a_conflict_is_decided_by_the_ways_that_it_has(ways, said):
    conflict = Conflict(Kind.BUDGET, "A", None, "alike", ("x1", "x2"), ways=ways)
    plan = Plan(
        plan_id="p", sync="s", source="erp", target="target", as_of=TODAY, conflicts=(conflict,)
    )

    assert [each.ways for each in asked_by(plan)] == [said]

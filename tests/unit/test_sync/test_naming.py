"""Names that no two objects of the target may have: given up before they are taken."""

from dataclasses import replace as changed
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Change
from canonical.identity import is_temporary, temporary_name
from canonical.kind import Kind, Op
from canonical.loss import Effect
from connectors.contract.capabilities import Removal, Unique
from connectors.contract.errors import Rejected, Uncertain
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.order import waves
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

UNIQUE = {
    Kind.BUDGET: Unique(fields=frozenset({"name"})),
    Kind.ALLOCATION: Unique(fields=frozenset({"entity"})),
}
NOW = datetime(2026, 3, 10, tzinfo=UTC)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def usd(number):
    return Amount.of(number, "USD")


def share(ref, of, entity, amount=1):
    return Allocation(ref=ref, budget=of, entity=Entity("user", entity), amount=usd(amount))


class Mirror:
    """A sync into a target in memory that refuses a name that is taken."""

    def __init__(self, folder, unique=UNIQUE, removal=Removal.DELETE, **said):
        able = {"unique": unique, "removal": removal, **said}
        self.source, self.target = Memory("erp"), Memory.with_capabilities(**able)("mem")
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.on_remove = OnRemove.DELETE

    def engine(self):
        spec = SyncSpec(
            name="s", source="erp", target="mem", limits=OPEN, parallel=1, on_remove=self.on_remove
        )
        return Engine(spec, self.source, self.target, self.store)

    def __call__(self, *budgets):
        """A run after which the source states those budgets and no others."""
        for page in [*self.source.list(Kind.BUDGET)]:
            for gone in {item.id for item in page.items} - {each.ref for each in budgets}:
                self.source.drop(gone)
        self.source.put(*budgets)
        return self.engine().run(self.source.today(), command="run")

    def names(self):
        """Ref → name, as the target has it."""
        return {item.stamp: item.model.name for page in self.target.list(Kind.BUDGET)
                for item in page.items}  # fmt: skip


@pytest.fixture
def mirror(tmp_path):
    mirror = Mirror(tmp_path)
    yield mirror
    mirror.store.close()


def named(ref, name, amount=1, **said):
    return Budget(ref=ref, name=name, amount=usd(amount), **said)


def losses(report):
    return {
        each.ref: (loss.effect, loss.reason) for each in report.plan.changes for loss in each.losses
    }


NAMES = st.permutations("ABCDE").flatmap(
    lambda after: st.tuples(st.just("".join(after)), st.sets(st.sampled_from(range(5))))
)


@settings(max_examples=6, deadline=None)
@given(NAMES, st.lists(st.sampled_from([-1, 0, 1]), min_size=5, max_size=5))
def test_whatever_names_pass_on_one_run_does_it(tmp_path_factory, said, steps):
    """The target refuses a name that is taken: each was free when it was taken."""
    after, gone = said
    mirror = Mirror(tmp_path_factory.mktemp("state"))
    mirror(*(named(f"r{i}", name, 5) for i, name in enumerate("ABCDE")))
    stay = {f"r{i}": name for i, name in enumerate(after) if i not in gone}
    vanished = {"ABCDE"[i] for i in gone}  # such a name for what is new is a conflict
    new = {f"n{i}": after[i] for i in gone if after[i] not in vanished}
    amounts = dict(zip(sorted(stay), steps, strict=False))
    report = mirror(
        *(named(ref, name, 5 + amounts.get(ref, 0)) for ref, name in {**stay, **new}.items())
    )
    assert (report.verified, report.error) == (True, None)
    assert mirror.names() == stay | new
    assert mirror(*(named(ref, name, 5 + amounts.get(ref, 0)) for ref, name in (
        stay | new).items())).plan.changes == ()  # fmt: skip
    mirror.store.close()


def rename(ref, before, after, *waits, via=None):
    return Change(
        op=Op.UPDATE,
        kind=Kind.BUDGET,
        ref=ref,
        target_id=ref,
        fields={"name": (before, after)},
        desired=named(ref, after),
        after=tuple((Kind.BUDGET, "", each) for each in waits),
        via=via,
    )


@settings(max_examples=40)
@given(st.permutations(range(6)), st.randoms())
def test_a_circle_has_one_temporary_name_and_every_name_is_free_when_it_is_taken(after, chance):
    from sync.naming import _Bid, _detours

    changes = {i: rename(f"r{i}", str(i), str(to), *([f"r{to}"] if to != i else []))
               for i, to in enumerate(after)}  # fmt: skip
    moving = [i for i in changes if after[i] != i]
    bids = [_Bid(i, changes[i], (Kind.BUDGET, None, str(after[i])), f"r{i}") for i in moving]
    takers = {changes[after[i]].key: bid for i, bid in zip(moving, bids, strict=True)}
    detours = {bid.at for bid in _detours(bids, takers)}
    assert len(detours) == circles(after)
    sent = [changed(each, via="tmp" + each.ref) if i in detours else each
            for i, each in changes.items() if i in moving]  # fmt: skip
    held = {f"r{i}": str(i) for i in changes}
    for wave in waves(sent, UNIQUE):
        for step in chance.sample(wave, len(wave)):
            name = step.via or step.change.fields["name"][1]
            assert name not in held.values()
            held[step.change.ref] = name
    assert held == {f"r{i}": str(to) for i, to in enumerate(after)}


def circles(after):
    seen, found = set(), 0
    for start in range(len(after)):
        found += start not in seen and after[start] != start
        while start not in seen:
            seen.add(start)
            start = after[start]
    return found


def test_what_the_source_states_twice_is_blocked_once(mirror):
    report = mirror(named("a", "A"), named("b", "A"))
    assert {each.ref: each.op for each in report.plan.changes} == {"a": Op.CREATE, "b": Op.BLOCKED}
    assert "a is to have it" in losses(report)["b"][1]


@pytest.mark.parametrize("folded", [False, True])
def test_names_that_differ_by_case_are_one_where_the_target_takes_them_for_one(tmp_path, folded):
    unique = {Kind.BUDGET: Unique(fields=frozenset({"name"}), folded=folded)}
    mirror = Mirror(tmp_path, unique)
    mirror(named("a", "Sales"), named("b", "Costs"))
    assert mirror(named("a", "COSTS"), named("b", "sales")).verified
    assert mirror.names() == {"a": "COSTS", "b": "sales"}
    report = mirror(named("a", "costs"), named("b", "sales"), named("c", "SALES "))
    assert report.verified is not folded
    assert ("c" in losses(report)) is folded
    mirror.store.close()


@pytest.mark.parametrize("on_remove", [OnRemove.KEEP, OnRemove.RETIRE])
def test_what_stays_in_use_keeps_its_name(tmp_path, on_remove):
    mirror = Mirror(tmp_path, removal=Removal.RETIRE)
    mirror.on_remove = on_remove
    mirror(named("a", "A"), named("b", "B"))
    report = mirror(named("a", "B"))
    retired = on_remove is OnRemove.RETIRE
    assert report.verified is retired
    assert mirror.names() == {"a": "B" if retired else "A", "b": "B"}
    mirror.store.close()


def test_what_waits_for_a_change_that_is_refused_is_skipped_and_comes_the_next_time(mirror):
    mirror(named("a", "A"), named("b", "B"), named("c", "C"))

    def refuse(operation, subject):
        if operation == "update" and subject == "mem-3":
            raise Rejected("not today")

    mirror.target.before = refuse
    after = named("a", "B"), named("b", "C"), named("c", "X")
    outcomes = {done.ref: (done.outcome, done.error) for done in mirror(*after).operations}
    assert outcomes["a"] == ("skipped", "b still has the name")
    assert outcomes["b"] == ("skipped", "c still has the name")
    mirror.target.before = lambda *said: None
    assert mirror(*after).verified


def test_a_change_that_only_a_saved_plan_lacks_frees_nothing(mirror):
    mirror(named("a", "A"), named("b", "B"))
    mirror.source.put(named("a", "B"), named("b", "X"))
    plan = mirror.engine().plan(mirror.source.today())
    part = changed(plan, changes=tuple(each for each in plan.changes if each.ref == "a"))
    report = mirror.engine().run(mirror.source.today(), command="apply", only=part)
    assert [done.error for done in report.operations] == ["b still has the name"]
    assert mirror.names() == {"a": "A", "b": "B"}


def test_a_temporary_name_that_a_run_left_is_nobodys_edit(mirror):
    mirror(named("a", "A"), named("b", "B"))
    calls = []

    def lose(operation, subject):
        calls.append(operation)
        if operation == "update" and calls.count("update") == 2:
            raise Uncertain("lost")

    mirror.target.before = lose
    mirror(named("a", "B"), named("b", "A"))
    assert is_temporary(mirror.names()["a"])
    mirror.target.before = lambda *said: None
    mirror.source.put(named("a", "B"), named("b", "A"))
    plan = mirror.engine().plan(mirror.source.today())
    assert {(each.ref, each.cause.value) for each in plan.changes} == {
        ("a", "source"),
        ("b", "source"),
    }
    assert all(each.money == () for each in plan.changes)
    assert mirror(named("a", "A"), named("b", "B")).verified
    assert mirror.names() == {"a": "A", "b": "B"}


def test_entities_of_shares_go_round_below_each_budget_by_itself(mirror):
    def stated(one, two):
        return [
            named(ref, ref, 9, allocations=(share("1", ref, one), share("2", ref, two, 2)))
            for ref in "ab"
        ]

    mirror(*stated("x", "y"))
    report = mirror(*stated("y", "x"))
    assert report.verified
    assert sum(each.via is not None for each in report.plan.changes) == 2


def test_where_names_may_be_taken_twice_nothing_is_blocked_for_them(tmp_path):
    unique = {Kind.BUDGET: Unique(fields=frozenset({"name"}), surely=False)}
    mirror = Mirror(tmp_path, unique)
    mirror(named("a", "A"))
    report = mirror(named("a", "A"), named("b", "A"))
    assert [done.outcome for done in report.operations] == ["rejected"]
    mirror.store.close()


def test_a_removal_frees_a_name_only_after_what_hangs_below_it_is_gone(mirror):
    mirror(named("a", "A"), named("b", "B", 9, allocations=(share("1", "b", "x"),)))
    assert mirror(named("a", "B"), named("n", "A", 3)).verified
    assert mirror.names() == {"a": "B", "n": "A"}


def test_what_a_budget_is_to_move_away_from_keeps_its_name_until_the_next_run(mirror):
    mirror(named("a", "A"), named("p", "P"), named("c", "C", parent="p"))
    after = named("a", "P"), named("c", "C", parent="a")
    assert losses(mirror(*after))["a"][0] is Effect.BLOCKED
    assert mirror(*after).verified
    assert mirror.names() == {"a": "P", "c": "C"}


@pytest.mark.parametrize("ref", ["MKT", "ü" * 300, "𝒳" * 200])
def test_a_temporary_name_says_whose_it_is_and_fits(ref):
    name = temporary_name(ref, "id-7", 255)
    assert is_temporary(name)
    assert len(name.encode("utf-16-le")) <= 510
    assert name[:2] == ref[:2]
    assert temporary_name(ref, "id-7", ascii_text=True).isascii()
    assert replace(named("a", "A"), name=name).name == name

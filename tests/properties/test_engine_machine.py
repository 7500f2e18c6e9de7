"""A machine that edits both sides, loses answers, refuses, crashes, freezes and lags, and then
wants them agreed.

The source, the target and the clock are in memory; the state is a real SQLite file, which a crash
leaves as the dead process last committed it. After each run without a fault the second plan is
empty, every object is in the target once and with its amount, and what is not ours is as it was.
"""

import shutil
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from anyascii import anyascii
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs
from sqlalchemy import event, select

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.compare import Cause
from canonical.identity import unstamped
from canonical.kind import Kind
from canonical.period import Cadence, Period, add_months
from connectors.contract.capabilities import Phasing, Removal
from connectors.contract.errors import Rejected, Uncertain
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory, MemorySettings
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.journal import State
from sync.state.ledger import Ledger
from sync.state.store import Store, operations
from tests.examples import examples

SYNC = "erp-to-shop"
FREE = Limits(
    max_changes=None,
    max_removals=None,
    max_money=None,
    max_budget_change=None,
    min_listing=None,
    below_spent=True,
)
WRITES = {"create", "update", "retire", "delete"}
WORDS = ("travel", "Büro", "  ads  ", "日本 office")
REFS = st.sampled_from(["B1", "B2", "B3", "B4"])
SHARES = st.sampled_from(["a1", "a2", "a3"])
PICKS = st.integers(0, 99)
CENTS = st.integers(0, 2_000_000).map(lambda cents: Amount.from_minor(cents, "USD"))


class Crash(BaseException):
    """The process is no more: nothing after it is written or sent."""


class Clock:
    def __init__(self):
        self.time = datetime(2026, 1, 20, 12, tzinfo=UTC)

    def __call__(self):
        return self.time

    def sleep(self, seconds):
        self.time += timedelta(seconds=seconds)

    @property
    def day(self):
        return self.time.date()


@dataclass
class Fate:
    """What befalls a run: `kind` at the `at`-th write to the target, or commit of the state."""

    kind: str = "none"
    at: int = 0
    seen: int = 0
    dead: bool = False

    def meets(self, place):
        """Called at each moment; raises what happens there. `place` is "write" or "commit"."""
        if self.dead:
            raise Crash
        side, _, what = self.kind.rpartition(" ")
        if side != place:
            return
        self.seen += 1
        if self.seen != self.at:
            return
        if what == "lost":
            raise Uncertain("the answer was lost")
        if what == "refused":
            raise Rejected("the vendor will not")
        self.dead = True
        raise Crash


AT = st.integers(1, 5)
LOST = st.sampled_from(["before write lost", "after write lost"])
CRASHED = st.sampled_from(
    ["before write crash", "after write crash", "before commit crash", "after commit crash"]
)


class MortalStore(Store):
    """A store that a crash takes away from its process, before or after a commit."""

    fate = Fate()

    @contextmanager
    def write(self):
        self.fate.meets("before commit")
        with super().write() as connection:
            yield connection
        self.fate.meets("after commit")


class Frozen:
    """A run that stands still before its `at`-th write leaves."""

    def __init__(self, sides, at, others):
        self.sides, self.at, self.others = sides, at, others
        self.seen, self.stood, self.written_after = 0, False, []

    def waits(self, operation, _):
        self.seen += 1
        if self.seen != self.at:
            return
        self.stood = True
        self.sides.clock.time += timedelta(seconds=31)
        if self.others:
            self.sides.target.waits = lambda operation, _: None
            self._another_run()
            before = self.sides._hears
            self.sides.target.before = lambda operation, _: self._hears(operation, before)

    def _another_run(self):
        """By another process, which knows the state from the disk alone."""
        store = open_store(self.sides.folder, self.sides.clock)
        report = self.sides.engine(store).run(self.sides.clock.day, command="run")
        store.close()
        assert report.outcome is not Outcome.FAILED, report.error

    def _hears(self, operation, before):
        if operation in WRITES:
            self.written_after.append(operation)
        before("before", operation)


@cache
def empty_state():
    """A migrated database, to be copied: migrating costs more than a whole run."""
    folder = Path(tempfile.mkdtemp(prefix="trueup-empty-"))
    Store.open("sqlite:///empty.db", folder, Clock()).close()
    return folder / "empty.db"


def open_store(folder, clock):
    store = MortalStore.open("sqlite:///trueup.db", folder, clock)
    event.listen(store.engine, "connect", _hurry)
    store.engine.dispose()
    return store


def _hurry(connection, _record):
    connection.execute("PRAGMA synchronous = OFF")  # the machine does not lose power


def tidied(model):
    """What a tidy vendor makes of a budget: blanks go, and the boss is always an owner."""
    if not isinstance(model, Budget):
        return model
    owners = tuple(sorted({*(model.owners or ()), "boss"}))
    return structs.replace(model, name=" ".join(model.name.split()), owners=owners)


@dataclass(frozen=True)
class Shape:
    """A vendor, and what a sync does with it."""

    keys: bool
    stamps: bool
    current_only: bool
    ascii: bool
    tidy: bool
    removal: Removal
    inactive: bool
    clears: bool
    batch: int
    on_remove: OnRemove

    @property
    def retires(self):
        return self.removal not in (Removal.DELETE, Removal.NONE)

    @property
    def revives(self):
        return self.removal in (Removal.RETIRE, Removal.RETIRE_OR_DELETE)

    def target(self, clock):
        statuses = {Status.ACTIVE}
        statuses |= {Status.RETIRED} if self.retires else set()
        statuses |= {Status.INACTIVE} if self.inactive else set()
        able = Memory.capabilities
        cls = Memory.with_capabilities(
            removal=self.removal,
            revives=frozenset(Kind) if self.revives else frozenset(),
            statuses=frozenset(statuses),
            ascii_text=self.ascii,
            key_lifetime=able.key_lifetime if self.keys else timedelta(),
            stamps=able.stamps if self.stamps else frozenset(),
            phasing=Phasing.CURRENT if self.current_only else Phasing.ALL,
            clearable=able.clearable if self.clears else frozenset(),
            batch=self.batch,
            grace=timedelta(seconds=60),
        )
        made = cls("shop", MemorySettings(page_size=3), Runtime(now=clock, sleep=clock.sleep))
        if self.tidy:
            made.normalise = tidied
        return made


SHAPES = st.builds(
    Shape,
    keys=st.booleans(),
    stamps=st.booleans(),
    current_only=st.booleans(),
    ascii=st.booleans(),
    tidy=st.booleans(),
    removal=st.sampled_from(Removal),
    inactive=st.booleans(),
    clears=st.booleans(),
    batch=st.sampled_from([1, 3]),
    on_remove=st.sampled_from(OnRemove),
)


def user(name):
    return Entity("user", f"{name}@example.com")


def _is_share(model):
    return isinstance(model, Allocation)


def _is_alive(model):
    return isinstance(model, Budget) and model.status is not Status.RETIRED


def in_the_source(self):
    return bool(self.source._rows)


def budgets_in_the_source(self):
    return bool(self.stated(Kind.BUDGET))


def in_the_target(self):
    return bool(self.ours())


class TwoSides(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.folder = Path(tempfile.mkdtemp(prefix="trueup-machine-"))
        shutil.copy(empty_state(), self.folder / "trueup.db")
        self.store = open_store(self.folder, self.clock)
        self.source = Memory("erp", MemorySettings(page_size=2), Runtime(now=self.clock))
        self.theirs = {}
        self.numbers = 0
        self.fate = Fate()

    def teardown(self):
        self.a_run()
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize(shape=SHAPES, word=st.sampled_from(WORDS), amounts=st.tuples(CENTS, CENTS, CENTS))
    def begin(self, shape, word, amounts):
        self.a_vendor(shape)
        for ref, below, amount in zip(("B1", "B2"), (None, "B1"), amounts, strict=False):
            self.add_a_budget(ref=ref, amount=amount, word=word, monthly=True, below=below)
        self.add_an_allocation(pick=1, ref="a1", amount=amounts[2])

    def a_vendor(self, shape):
        self.shape = shape
        self.target = shape.target(self.clock)
        self.a_target_that_is_heard()
        self.target.after = lambda operation, _: self._hears("after", operation)
        self.spec = SyncSpec(
            name=SYNC,
            source="erp",
            target="shop",
            on_remove=shape.on_remove,
            parallel=1,
            limits=FREE,
        )

    def a_target_that_is_heard(self):
        self.target.waits = lambda operation, _: None
        self.target.before = lambda operation, _: self._hears("before", operation)

    def _hears(self, when, operation):
        self.fate.meets(f"{when} {'write' if operation in WRITES else 'read'}")

    # -- the source ------------------------------------------------------------------------------

    @rule(ref=REFS, amount=CENTS, word=st.sampled_from(WORDS), monthly=st.booleans(),
          below=st.none() | REFS)  # fmt: skip
    def add_a_budget(self, ref, amount, word, monthly, below):
        stated = self.stated(Kind.BUDGET)
        if ("", ref) in stated:
            return
        self.source.put(
            Budget(
                ref=ref,
                name=f"{ref} {word}",
                description="of the year",
                amount=amount,
                cadence=Cadence.MONTHLY if monthly else Cadence.ONCE,
                start=date(2026, 1, 1),
                parent=below if ("", below) in stated else None,
                owners=("ann",),
            )
        )

    @precondition(budgets_in_the_source)
    @rule(pick=PICKS, ref=SHARES, amount=CENTS)
    def add_an_allocation(self, pick, ref, amount):
        _, budget = self._pick(self.stated(Kind.BUDGET), pick)
        if (budget, ref) not in self.stated(Kind.ALLOCATION):
            self.source.put(Allocation(ref=ref, budget=budget, entity=user(ref), amount=amount))

    @precondition(in_the_source)
    @rule(pick=PICKS, amount=CENTS)
    def change_an_amount(self, pick, amount):
        self.source.edit(self._pick(self.source._rows, pick), amount=amount)

    @precondition(in_the_source)
    @rule(pick=PICKS, status=st.sampled_from(Status))
    def change_a_status(self, pick, status):
        self.source.edit(self._pick(self.source._rows, pick), status=status)

    @precondition(budgets_in_the_source)
    @rule(pick=PICKS, word=st.sampled_from(WORDS), owner=st.sampled_from(["ann", "bob"]),
          end=st.sampled_from([None, date(2026, 12, 31)]))  # fmt: skip
    def rewrite_a_budget(self, pick, word, owner, end):
        _, ref = self._pick(self.stated(Kind.BUDGET), pick)
        self.source.edit(ref, name=f"{ref} {word}", owners=(owner,), end=end)

    @precondition(budgets_in_the_source)
    @rule(pick=PICKS, amounts=st.lists(CENTS, min_size=3, max_size=3))
    def phase_a_budget(self, pick, amounts):
        _, ref = self._pick(self.stated(Kind.BUDGET), pick)
        months = [add_months(date(2026, 1, 1), number) for number in range(4)]
        spans = [Period(first, after - timedelta(days=1)) for first, after in pairwise(months)]
        self.source.edit(ref, phases=tuple(map(Phase, spans, amounts)))

    @precondition(in_the_source)
    @rule(pick=PICKS)
    def remove_from_the_source(self, pick):
        self.source.drop(self._pick(self.source._rows, pick))

    # -- the target, by hand ---------------------------------------------------------------------

    @precondition(in_the_target)
    @rule(pick=PICKS, amount=CENTS)
    def edit_an_amount_by_hand(self, pick, amount):
        self.target.edit(self._pick(self.ours(), pick), amount=amount)

    @precondition(lambda self: self.linked(Kind.BUDGET))
    @rule(pick=PICKS, what=st.sampled_from(["name", "description", "owners"]))
    def edit_a_text_by_hand(self, pick, what):
        linked = self.linked(Kind.BUDGET)
        id = linked[self._pick(linked, pick)]
        said = {"name": f"edited-{id}", "description": "by hand", "owners": ("eve",)}
        if id in self.target._rows:
            self.target.edit(id, **{what: said[what]})

    @precondition(lambda self: self.shape.retires and in_the_target(self))
    @rule(pick=PICKS)
    def retire_by_hand(self, pick):
        self.target.edit(self._pick(self.ours(), pick), status=Status.RETIRED)

    @precondition(in_the_target)
    @rule(pick=PICKS)
    def delete_by_hand(self, pick):
        self.target.drop(self._pick(self.ours(), pick))
        self.theirs = {id: model for id, model in self.theirs.items() if id in self.target._rows}

    @precondition(lambda self: self._shares())
    @rule(pick=PICKS, amount=CENTS)
    def edit_a_share_by_hand(self, pick, amount):
        self.target.edit(self._pick(self._shares(), pick), amount=amount)

    @precondition(lambda self: self._shares())
    @rule(pick=PICKS, whose=SHARES | st.just("eve"))
    def give_a_share_to_another_by_hand(self, pick, whose):
        """Also to one who has a share of that budget already."""
        self.target.edit(self._pick(self._shares(), pick), entity=user(whose))

    @precondition(lambda self: self._shares())
    @rule(pick=PICKS, deleted=st.booleans())
    def take_a_share_away_by_hand(self, pick, deleted):
        id = self._pick(self._shares(), pick)
        if deleted or not self.shape.retires:
            self.target.drop(id)
        else:
            self.target.edit(id, status=Status.RETIRED)

    def _shares(self):
        return [id for id, model in self.ours().items() if isinstance(model, Allocation)]

    @precondition(lambda self: not self._unknown() and self._movable())
    @rule(pick=PICKS, where=PICKS)
    def move_an_allocation_by_hand(self, pick, where):
        """Then it is moved back."""
        budgets = [id for id, model in self.ours().items() if isinstance(model, Budget)]
        self.target.move(self._pick(self._movable(), pick), self._pick(budgets, where))
        self.a_run()

    def _movable(self):
        """Allocations in use on both sides."""
        stated, linked = self.wanted(Kind.ALLOCATION), self.linked(Kind.ALLOCATION)
        return [
            id
            for key, id in linked.items()
            if id in self.target._rows
            and self.target._rows[id].model.status is Status.ACTIVE
            and key in stated
            and stated[key].status is Status.ACTIVE
        ]

    @rule(pick=PICKS, amount=CENTS, inside=st.booleans())
    def a_stranger_appears(self, pick, amount, inside):
        self.numbers += 1
        name = home = f"theirs-{self.numbers}"
        ours = [id for id, model in self.ours().items() if isinstance(model, Budget)]
        if inside and ours:
            home = self._pick(ours, pick)
        else:
            self._put_theirs(Budget(ref=name, name=name, amount=amount))
        self._put_theirs(Allocation(ref=name, budget=home, entity=user(name), amount=amount))

    @precondition(lambda self: not self._unknown() and self._shares())
    @rule(pick=PICKS, amount=CENTS)
    def a_stranger_gives_more_to_one_who_has_a_share(self, pick, amount):
        """It is not ours, for as long as ours is there."""
        self.numbers += 1
        row = self.target._rows[self._pick(self._shares(), pick)]
        name = f"theirs-{self.numbers}"
        alike = {(each.budget, each.entity) for each in self.theirs.values() if _is_share(each)}
        if (row.container, row.model.entity) not in alike:
            self._put_theirs(
                Allocation(ref=name, budget=row.container, entity=row.model.entity, amount=amount)
            )

    @precondition(lambda self: not self._unknown())
    @rule(pick=PICKS, amount=CENTS)
    def somebody_makes_a_share_by_hand(self, pick, amount):
        """Then it is adopted and not made again."""
        budgets, linked = self.linked(Kind.BUDGET), self.linked(Kind.ALLOCATION)
        missing = [
            key
            for key, model in self.stated(Kind.ALLOCATION).items()
            if key not in linked
            and ("", key[0]) in budgets
            and (budgets["", key[0]], model.entity) not in self._given()
        ]
        if missing:
            self.numbers += 1
            budget, ref = self._pick(missing, pick)
            home = budgets["", budget]
            if home in self.target._rows:
                share = Allocation(
                    ref=f"hand-{self.numbers}", budget=home, entity=user(ref), amount=amount
                )
                self.target.put(share)
                self.a_run()

    def _given(self):
        """To whom in which budget of the target something is given by now."""
        return {
            (row.container, row.model.entity)
            for row in self.target._rows.values()
            if _is_share(row.model) and row.model.status is not Status.RETIRED
        }

    @precondition(lambda self: not self._unknown())
    @rule(pick=PICKS)
    def somebody_makes_it_by_hand(self, pick):
        """Then it is adopted and not made again."""
        made = {model.name.split()[0] for model in self.ours().values() if _is_alive(model)}
        stated = self.stated(Kind.BUDGET)
        linked = {(None, None), *self.linked(Kind.BUDGET)}
        missing = [
            key
            for key, model in stated.items()
            if key not in linked and key[1] not in made and self._above(model) in linked
        ]
        if missing:
            self.numbers += 1
            name = self._named(stated[self._pick(missing, pick)])
            self.target.put(Budget(ref=f"hand-{self.numbers}", name=name, amount=usd(0)))
            self.a_run()

    def _put_theirs(self, model):
        before = set(self.target._rows)
        self.target.put(model)
        (id,) = set(self.target._rows) - before
        self.theirs[id] = model

    # -- runs ------------------------------------------------------------------------------------

    @rule(days=st.integers(1, 40))
    def time_passes(self, days):
        self.clock.time += timedelta(days=days)

    @rule(kind=LOST, at=AT)
    def a_run_that_loses_an_answer(self, kind, at):
        self.run_until(Fate(kind, at))

    @rule(at=AT)
    def a_run_with_a_refusal(self, at):
        self.run_until(Fate("before write refused", at))

    @rule(kind=CRASHED, at=AT, aged=st.booleans())
    def a_run_that_crashes(self, kind, at, aged):
        """Then the next run begins when the lease of the dead has ended, or its keys have too."""
        self.run_until(Fate(kind, at))
        self.clock.time += timedelta(days=2 if aged else 0)

    @rule(at=AT, others=st.booleans())
    def a_run_that_freezes(self, at, others):
        """It stands still before its `at`-th write leaves, for longer than its lease lasts; with
        `others` another run takes over meanwhile, and what wakes then must not write."""
        frozen = Frozen(self, at, others)
        self.target.waits = frozen.waits
        try:
            report = self.engine().run(self.clock.day, command="run")
        finally:
            self.a_target_that_is_heard()
        taken_over = others and frozen.stood
        assert (report.outcome is Outcome.FAILED) == taken_over, report.error
        assert not frozen.written_after
        self._nothing_is_doubled()

    @rule(lost=st.booleans(), at=AT)
    def a_run_whose_listings_lag(self, lost, at):
        """They show what is made only a while later, which the run waits for."""
        shown = self.target.list
        began = dict.fromkeys(self.target._rows, self.clock.time - timedelta(days=1))

        def lags(kind, cursor=None, known=None):
            for page in shown(kind, cursor, known):
                for item in page.items:
                    began.setdefault(item.id, self.clock.time)
                lately = self.clock.time - timedelta(seconds=20)
                yield replace(page, items=[each for each in page.items if began[each.id] < lately])

        self.target.list = lags
        self.run_until(Fate("after write lost" if lost else "none", at))
        self.target.list = shown

    def run_until(self, fate):
        """A run that meets `fate`, if it comes so far."""
        self.fate = self.store.fate = fate
        try:
            report = self.engine().run(self.clock.day, command="run")
            assert report.outcome is not Outcome.FAILED, report.error
        except Crash:
            self.store.close()
            self.clock.time += timedelta(seconds=31)
            self.store = open_store(self.folder, self.clock)
        finally:
            self.fate = self.store.fate = Fate()
        self._nothing_is_doubled()

    @rule()
    def a_run(self):
        before, linked = self.ours(), self.all_linked()

        report = self.engine().run(self.clock.day, command="run")

        assert report.outcome is not Outcome.FAILED, report.error
        assert not self._unknown()
        plan = self.engine().plan(self.clock.day)
        assert not plan.pending, plan.pending
        assert not plan.conflicts
        for change in plan.changes:
            assert self._may_be_blocked(change.kind, (change.budget_ref or "", change.ref)), change
        for kind in Kind:
            for key, model in self.wanted(kind).items():
                self._is_there(kind, key, model)
        self._nothing_is_doubled()
        if self.shape.on_remove is OnRemove.KEEP:
            self._nothing_went(before, linked)

    @invariant()
    def strangers_are_as_they_were(self):
        """But for a share that somebody gave to whom the source gives one, once ours is gone."""
        linked = {id for (kind, _), id in self.all_linked().items() if kind is Kind.ALLOCATION}
        self.theirs = {id: model for id, model in self.theirs.items() if id not in linked}
        for id, model in self.theirs.items():
            assert self.target._rows[id].model == model

    # -- what must hold --------------------------------------------------------------------------

    def _unknown(self):
        """The operations whose outcome nobody knows."""
        open_states = operations.c.state.in_([State.PLANNED, State.SENT, State.UNCERTAIN])
        with self.store.read() as connection:
            return connection.execute(select(operations.c.id).where(open_states)).all()

    def _is_there(self, kind, key, model):
        """The object that the link names holds all that the target can be told."""
        if model.status is Status.RETIRED or self._cannot_be_made(kind, key, model):
            return
        id = self.all_linked()[kind, key]
        there = self.target._rows[id].model
        if there.status is Status.RETIRED and not self.shape.revives:
            return
        assert there.amount == model.amount
        if model.status is Status.ACTIVE or self.shape.inactive:
            assert there.status is model.status
        if model.end is not None or self.shape.clears:
            assert there.end == model.end
        if isinstance(model, Budget):
            assert there.name.split() == self._named(model).split()
            assert unstamped(there.description)[0] == model.description
            assert set(there.owners) - {"boss"} == set(model.owners)
            assert there.stretches() == model.stretches()
        else:
            assert there.entity == model.entity
            above = self.linked(Kind.BUDGET)["", key[0]]
            assert self.target._rows[id].container == above

    def _nothing_is_doubled(self):
        """At most one active object for each of ours, told by its stamp and by its name."""
        stamps, names = Counter(), Counter()
        for id, model in self.ours().items():
            row = self.target._rows[id]
            if model.status is Status.RETIRED:
                continue
            if isinstance(model, Budget):
                stamps[unstamped(model.description)[1]] += 1
                names[model.name.split()[0]] += 1
            else:
                stamps[row.container, row.reference] += row.reference is not None
                names[row.container, model.entity] += 1
        del stamps[None]
        assert max([*stamps.values(), *names.values()], default=0) <= 1, (stamps, names)

    def _nothing_went(self, before, linked):
        """With `on_remove = "keep"` only what the source states to be retired is."""
        retired = {
            linked.get((kind, key))
            for kind in Kind
            for key, model in self.wanted(kind).items()
            if model.status is Status.RETIRED
        }
        for id, model in before.items():
            assert id in self.target._rows
            if model.status is not Status.RETIRED and id not in retired:
                assert self.target._rows[id].model.status is not Status.RETIRED

    def _may_be_blocked(self, kind, key):
        model, shape = self.wanted(kind).get(key), self.shape
        if model is None:
            policy, means = shape.on_remove, shape.removal
            return means is Removal.NONE or (policy is OnRemove.RETIRE and not shape.retires)
        id = self.all_linked().get((kind, key))
        if id is None:
            return self._cannot_be_made(kind, key, model)
        there = self.target._rows[id].model
        above = self._above(model)
        return (
            (above in self.wanted(Kind.BUDGET) and above not in self.linked(Kind.BUDGET))
            or (model.status is Status.INACTIVE and not shape.inactive)
            or (model.status is Status.RETIRED and not shape.retires)
            or (there.status is Status.RETIRED and not shape.revives)
            or (model.end is None and not shape.clears)
        )

    def _cannot_be_made(self, kind, key, model):
        """Whether the target has no such object and cannot be told to make it."""
        if (kind, key) in self.all_linked():
            return False
        if model.status is Status.RETIRED or (
            model.status is Status.INACTIVE and not self.shape.inactive
        ):
            return True
        above = key[0] or getattr(model, "parent", None)
        if above is None:
            return False
        parent, link = self.wanted(Kind.BUDGET)["", above], self.linked(Kind.BUDGET)
        there = self.target._rows.get(link.get(("", above)))
        if there is not None and there.model.status is Status.RETIRED and not self.shape.revives:
            return True
        return self._cannot_be_made(Kind.BUDGET, ("", above), parent)

    # -- both sides ------------------------------------------------------------------------------

    def _pick(self, some, number):
        return sorted(some)[number % len(some)]

    def _above(self, budget):
        parent = getattr(budget, "parent", None)
        return ("", parent) if parent else (None, None)

    def _named(self, budget):
        return anyascii(budget.name) if self.shape.ascii else budget.name

    def stated(self, kind):
        """The source's objects by key."""
        return {
            ("", model.ref) if isinstance(model, Budget) else (model.budget, model.ref): model
            for model in (row.model for row in self.source._rows.values())
            if isinstance(model, Budget) is (kind is Kind.BUDGET)
        }

    def wanted(self, kind):
        """The same, as the target should hold it today."""
        found = {}
        for key, model in self.stated(kind).items():
            if isinstance(model, Allocation):
                found[key] = self.stated(Kind.BUDGET)["", model.budget].complete(model)
            elif self.shape.current_only:
                found[key] = structs.replace(
                    model, amount=model.in_force(self.clock.day), phases=()
                )
            else:
                found[key] = model
        return found

    def ours(self):
        """The target's objects but for the strangers."""
        return {id: row.model for id, row in self.target._rows.items() if id not in self.theirs}

    def linked(self, kind):
        ledger = Ledger(self.store, SYNC)
        links = ledger.by_ids(list(ledger.ids(kind))).values()
        return {(link.budget_ref, link.ref): link.target_id for link in links}

    def all_linked(self):
        return {(kind, key): id for kind in Kind for key, id in self.linked(kind).items()}

    def engine(self, store=None):
        return Engine(
            self.spec,
            self.source,
            self.target,
            store or self.store,
            now=self.clock,
            monotonic=lambda: self.clock.time.timestamp(),
        )


TestTwoSides = TwoSides.TestCase
TestTwoSides.settings = settings(
    max_examples=examples(12),
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


# -- what the machine found, each in its fewest steps --------------------------------------------

PLAIN = Shape(
    keys=False,
    stamps=True,
    current_only=False,
    ascii=False,
    tidy=False,
    removal=Removal.RETIRE_FOR_GOOD,
    inactive=True,
    clears=True,
    batch=1,
    on_remove=OnRemove.KEEP,
)


@pytest.fixture
def sides():
    """Both sides, with one budget that an earlier run made."""
    made = TwoSides()
    made.a_vendor(PLAIN)
    made.source.put(Budget(ref="B1", name="One", amount=usd("100.00"), owners=("ann",)))
    made.a_run()
    yield made
    made.store.close()
    shutil.rmtree(made.folder)


def usd(number):
    return Amount.of(number, "USD")


def run(sides):
    return sides.engine().run(sides.clock.day, command="run")


def active(sides):
    return {
        id: row.model for id, row in sides.target._rows.items() if row.model.status is Status.ACTIVE
    }


def test_money_that_was_edited_after_an_update_was_lost_is_put_back(sides):
    sides.source.edit("B1", name="Two")
    sides.run_until(Fate("after write crash", 1))
    sides.target.edit("mem-1", amount=usd("999.00"))

    sides.a_run()

    assert active(sides)["mem-1"].amount == usd("100.00")


def test_money_that_was_edited_while_a_run_went_on_is_put_back(sides):
    sides.source.edit("B1", name="Two")

    def between(operation, _):
        if operation == "update":
            sides.target.edit("mem-1", amount=usd("999.00"))

    sides.target.before = between
    run(sides)
    sides.target.before = lambda operation, _: None
    sides.a_run()

    assert active(sides)["mem-1"].amount == usd("100.00")


def test_money_that_the_vendor_stores_otherwise_is_never_in_sync(sides):
    sides.target.normalise = lambda model: structs.replace(model, amount=usd("99.00"))
    sides.source.edit("B1", amount=usd("120.00"))
    run(sides)

    report = run(sides)

    assert not report.verified
    assert report.outcome is Outcome.PARTIAL


def test_money_that_the_vendor_stores_otherwise_is_drift(sides):
    sides.target.normalise = lambda model: structs.replace(model, amount=usd("99.00"))
    sides.source.edit("B1", amount=usd("120.00"))
    run(sides)

    (change,) = sides.engine().plan(sides.clock.day).changes

    assert change.cause is Cause.DRIFT


def test_a_text_that_was_edited_after_an_update_was_lost_is_put_back(sides):
    sides.source.edit("B1", amount=usd("120.00"))
    sides.run_until(Fate("after write crash", 1))
    sides.target.edit("mem-1", owners=("eve",))

    sides.a_run()

    assert active(sides)["mem-1"].owners == ("ann",)


@pytest.mark.parametrize(
    "kind",
    ["before write lost", "after write lost", "after write crash"],
)
def test_what_was_retired_earlier_is_not_taken_for_what_a_lost_create_left(sides, kind):
    sides.shape = replace(sides.shape, on_remove=OnRemove.RETIRE)
    sides.spec = replace(sides.spec, on_remove=OnRemove.RETIRE)
    sides.source.drop("B1")
    sides.a_run()
    sides.source.put(Budget(ref="B1", name="One", amount=usd("5.00"), owners=("ann",)))
    sides.run_until(Fate(kind, 1))

    sides.a_run()

    assert [model.amount for model in active(sides).values()] == [usd("5.00")]


def test_what_is_linked_already_is_not_taken_for_what_a_lost_create_left(sides):
    sides.spec = replace(sides.spec, stamp=False)
    sides.source.put(Budget(ref="B2", name="One", amount=usd("7.00")))
    sides.run_until(Fate("before write crash", 1))

    assert run(sides).error is None

    assert sorted(model.amount for model in active(sides).values()) == [usd("7.00"), usd("100.00")]


def test_what_hangs_below_a_retired_budget_is_not_planned_for_ever(sides):
    sides.source.edit("B1", status=Status.RETIRED)
    sides.a_run()
    sides.source.put(Budget(ref="B2", name="Two", amount=usd("7.00"), parent="B1", owners=()))
    run(sides)

    assert not sides.engine().plan(sides.clock.day).pending


def test_what_hangs_below_a_retired_budget_still_follows_the_source(sides):
    sides.source.put(Budget(ref="B2", name="Two", amount=usd("7.00"), parent="B1", owners=()))
    sides.a_run()
    sides.source.edit("B1", status=Status.RETIRED)
    sides.a_run()
    sides.source.edit("B2", amount=usd("8.00"))

    sides.a_run()

    assert [model.amount for model in active(sides).values()] == [usd("8.00")]


def test_what_hangs_below_a_blocked_budget_is_blocked_though_it_is_listed_first(sides):
    sides.target.capabilities = replace(
        sides.target.capabilities, statuses=frozenset({Status.ACTIVE})
    )
    inactive = Budget(ref="B3", name="Three", amount=usd("1.00"), status=Status.INACTIVE)
    sides.source.put(Budget(ref="B2", name="Two", amount=usd("7.00"), parent="B3"), inactive)

    assert not sides.engine().plan(sides.clock.day).pending


def test_what_cannot_be_moved_below_a_blocked_budget_still_gets_its_amount(sides):
    sides.target.capabilities = replace(
        sides.target.capabilities, statuses=frozenset({Status.ACTIVE})
    )
    inactive = Budget(ref="B3", name="Three", amount=usd("1.00"), status=Status.INACTIVE)
    sides.source.put(inactive)
    sides.source.edit("B1", parent="B3", amount=usd("120.00"))

    run(sides)

    assert active(sides)["mem-1"].amount == usd("120.00")


def test_phases_that_the_source_gave_up_are_given_up_in_the_target(sides):
    january = Phase(Period(date(2026, 1, 1), date(2026, 1, 31)), usd("9.00"))
    sides.source.edit("B1", phases=(january,))
    sides.a_run()
    sides.source.edit("B1", phases=())

    sides.a_run()

    assert active(sides)["mem-1"].in_force(date(2026, 1, 20)) == usd("100.00")


def test_what_a_lost_create_left_is_found_by_name_where_no_stamp_is_held(sides):
    sides.target.capabilities = replace(sides.target.capabilities, stamps=frozenset())
    sides.source.put(Budget(ref="B2", name="Two", amount=usd("7.00"), owners=()))
    sides.run_until(Fate("after write lost", 1))
    sides.source.edit("B2", name="Two and a half")

    sides.a_run()

    assert sorted(model.name for model in active(sides).values()) == ["One", "Two and a half"]


def test_what_waited_for_its_parent_moves_below_it_once_it_is_there(sides):
    sides.target.capabilities = replace(
        sides.target.capabilities, statuses=frozenset({Status.ACTIVE})
    )
    above = Budget(ref="B3", name="Three", amount=usd("1.00"), status=Status.INACTIVE, owners=())
    sides.source.put(above)
    sides.source.edit("B1", parent="B3", amount=usd("120.00"))
    run(sides)
    sides.source.edit("B3", status=Status.ACTIVE)

    run(sides)
    run(sides)

    ids = sides.linked(Kind.BUDGET)
    assert sides.target._rows[ids["", "B1"]].container == ids["", "B3"]


def test_what_is_retired_for_good_on_both_sides_is_not_written_any_more(sides):
    sides.target.edit("mem-1", name="edited", status=Status.RETIRED)
    sides.source.edit("B1", status=Status.RETIRED)

    report = run(sides)

    assert (report.verified, report.operations) == (True, [])

"""A machine in which two syncs, some of whose refs are the same, write into one target.

Rows come, go and move between the two sources, answers are lost, processes crash, and somebody
copies objects with their stamps. Whatever happens, an object is linked by one sync at most, what
one of them links is changed or removed by no run of the other, and what a run removes the other
source does not state. Where nothing disturbs any more, each row ends with the sync that states it.
"""

import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import stamped
from canonical.kind import Kind
from connectors.contract.capabilities import Removal
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory, MemorySettings
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import OnRemove, SyncSpec
from sync.state.ledger import Ledger
from sync.state.store import links
from tests.examples import examples
from tests.properties.test_engine_machine import (
    AT,
    CENTS,
    CRASHED,
    FREE,
    LOST,
    PICKS,
    PLAIN,
    REFS,
    SHARES,
    WRITES,
    Clock,
    Crash,
    Fate,
    empty_state,
    open_store,
)

NAMES = ("north", "south")
SYNCS = st.sampled_from(NAMES)


def other(sync):
    return NAMES[1 - NAMES.index(sync)]


class TwoOwners(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.folder = Path(tempfile.mkdtemp(prefix="trueup-owners-"))
        shutil.copy(empty_state(), self.folder / "trueup.db")
        self.store = open_store(self.folder, self.clock)
        self.sources = {
            name: Memory(name, MemorySettings(page_size=2), Runtime(now=self.clock))
            for name in NAMES
        }
        self.copies = {}
        self.fate = Fate()

    @initialize(
        keys=st.booleans(),
        stamps=st.booleans(),
        on_remove=st.sampled_from(OnRemove),
        acquainted=st.booleans(),
    )
    def begin(self, keys, stamps, on_remove, acquainted):
        shape = replace(PLAIN, keys=keys, stamps=stamps, removal=Removal.RETIRE)
        self.target = shape.target(self.clock)
        self.target.before = lambda operation, _: self._hears("before", operation)
        self.target.after = lambda operation, _: self._hears("after", operation)
        self.on_remove, self.acquainted = on_remove, acquainted
        self.stamps = stamps
        for name in NAMES:  # a source that shows nothing proves nothing
            self._put(name, Budget(ref=f"{name}-own", name=f"{name}-own", amount=amount(1)))
            self.a_run(name)

    def teardown(self):
        if hasattr(self, "target"):
            for name in (*NAMES, *NAMES):
                self.a_run(name)
            self._each_row_is_with_its_sync()
        self.store.close()
        shutil.rmtree(self.folder)

    def _hears(self, when, operation):
        self.fate.meets(f"{when} {'write' if operation in WRITES else 'read'}")

    # -- the sources -----------------------------------------------------------------------------

    @rule(name=SYNCS, ref=REFS, cents=CENTS)
    def state_a_budget(self, name, ref, cents):
        self._put(name, Budget(ref=ref, name=f"budget {ref}", amount=cents))

    @rule(name=SYNCS, budget=REFS, ref=SHARES, cents=CENTS)
    def state_a_share(self, name, budget, ref, cents):
        if ("", budget) in self.stated(name, Kind.BUDGET):
            entity = Entity("user", f"{ref}@example.com")
            self._put(name, Allocation(ref=ref, budget=budget, entity=entity, amount=cents))

    @rule(name=SYNCS, ref=REFS)
    def drop_a_budget(self, name, ref):
        if ref in self.sources[name]._rows:
            self.sources[name].drop(ref)

    @rule(name=SYNCS, ref=REFS)
    def move_a_budget(self, name, ref):
        """With its shares, as a row moves from one file to another."""
        source = self.sources[name]
        rows = [row.model for row in source._rows.values()]
        moved = [each for each in rows if getattr(each, "budget", each.ref) == ref]
        if moved:
            source.drop(ref)
            self._put(other(name), *moved)

    # -- the target, by hand ---------------------------------------------------------------------

    @precondition(lambda self: self.stamps and self._live(Kind.BUDGET))
    @rule(pick=PICKS)
    def copy_a_budget(self, pick):
        live = sorted(self._live(Kind.BUDGET))
        _, ref = live[pick % len(live)]
        name = f"copy-{len(self.copies)}"
        self.target.put(
            Budget(ref=name, name=name, description=stamped(None, ref), amount=amount(7))
        )
        (id,) = [id for id, row in self.target._rows.items() if row.model.name == name]
        self.copies[id] = self.target._rows[id].model

    # -- runs ------------------------------------------------------------------------------------

    @rule(name=SYNCS)
    def a_run(self, name):
        before, theirs = self._rows(), self._linked(other(name))

        report = self._engine(name).run(self.clock.day, command="run")

        assert report.outcome is not Outcome.FAILED, report.error
        self._nothing_of_theirs_moved(before, theirs, other(name))
        self._nothing_went_that_is_stated(before, name)
        if report.verified:
            mine = self._linked(name).values()
            for kind in Kind:
                for key in self.stated(name, kind):
                    assert (kind, key) in mine, f"{key} is verified and not {name}'s"

    @rule(name=SYNCS, kind=LOST | CRASHED, at=AT)
    def a_run_that_is_disturbed(self, name, kind, at):
        before, theirs = self._rows(), self._linked(other(name))
        self.fate = self.store.fate = Fate(kind, at)
        try:
            self._engine(name).run(self.clock.day, command="run")
        except Crash:
            self.store.close()
            self.clock.time += timedelta(seconds=31)
            self.store = open_store(self.folder, self.clock)
        finally:
            self.fate = self.store.fate = Fate()
        self._nothing_of_theirs_moved(before, theirs, other(name))

    @invariant()
    def each_object_has_one_owner(self):
        counted = select(func.count(links.c.id)).group_by(links.c.kind, links.c.target_id)
        with self.store.read() as connection:
            assert max(connection.execute(counted).scalars(), default=0) <= 1

    @invariant()
    def copies_are_as_they_were(self):
        """Until one takes the place of the only other object with that stamp."""
        linked = {id for name in NAMES for _, id in self._linked(name)}
        self.copies = {id: model for id, model in self.copies.items() if id not in linked}
        for id, model in self.copies.items():
            assert self.target._rows[id].model == model

    # -- what must hold --------------------------------------------------------------------------

    def _nothing_of_theirs_moved(self, before, theirs, owner):
        for place in theirs.keys() & self._linked(owner).keys():
            _, id = place
            if id in before:
                assert self.target._rows[id].model == before[id]

    def _nothing_went_that_is_stated(self, before, name):
        """The other source states it and its sync has no object of its own for it."""
        if not self.acquainted:
            return
        at = other(name)
        elsewhere = set(self._linked(at).values())
        went = [id for id, model in before.items() if self._is_live(model) > self._is_there(id)]
        for id in went:
            model = before[id]
            kind = Kind.BUDGET if isinstance(model, Budget) else Kind.ALLOCATION
            key = self.known.get(id)
            assert key is None or (kind, key) in elsewhere or key not in self.stated(at, kind)

    def _each_row_is_with_its_sync(self):
        if not self.acquainted or self.copies:
            return
        for name in NAMES:
            mine = {key: id for (_, id), key in self._linked(name).items()}
            for kind in Kind:
                for key, model in self.stated(name, kind).items():
                    if self._is_disputed(name, key):
                        continue
                    there = self.target._rows[mine[kind, key]].model
                    assert (there.amount, there.status) == (model.amount, Status.ACTIVE)

    def _is_disputed(self, name, key):
        budget = "", key[0] or key[1]
        return budget in self.stated(other(name), Kind.BUDGET)

    # -- both sides ------------------------------------------------------------------------------

    def _put(self, name, *models):
        self.sources[name].put(*models)

    def stated(self, name, kind):
        return {
            ("", model.ref) if isinstance(model, Budget) else (model.budget, model.ref): model
            for model in (row.model for row in self.sources[name]._rows.values())
            if isinstance(model, Budget) is (kind is Kind.BUDGET)
        }

    def _linked(self, name):
        """(kind, target id) → (kind, key), of that sync."""
        ledger = Ledger(self.store, name)
        return {
            (kind, link.target_id): (kind, (link.budget_ref, link.ref))
            for kind in Kind
            for link in ledger.by_ids(list(ledger.ids(kind))).values()
        }

    def _live(self, kind):
        return {
            key
            for name in NAMES
            for (each, id), (_, key) in self._linked(name).items()
            if each is kind and id in self.target._rows
        }

    def _rows(self):
        self.known = {id: key for name in NAMES for (_, id), (_, key) in self._linked(name).items()}
        return {id: row.model for id, row in self.target._rows.items()}

    def _is_live(self, model):
        return model.status is not Status.RETIRED

    def _is_there(self, id):
        return id in self.target._rows and self._is_live(self.target._rows[id].model)

    def _engine(self, name):
        spec = SyncSpec(
            name=name,
            source=name,
            target="shop",
            on_remove=self.on_remove,
            parallel=1,
            limits=FREE,
        )
        at = other(name)
        neighbours = {at: lambda: self.sources[at]} if self.acquainted else None
        return Engine(
            spec, self.sources[name], self.target, self.store, now=self.clock, neighbours=neighbours
        )


def amount(number):
    return Amount.of(number, "USD")


TestTwoOwners = TwoOwners.TestCase
TestTwoOwners.settings = settings(
    max_examples=examples(5),
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

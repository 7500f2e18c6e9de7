"""A machine in which people edit both sides of a sync that has a word for each field.

Rows come, go, are renamed and edited on either side, and people decide and undo; either side
rounds, trims and orders, loses answers, and processes crash. Whatever happens: nothing is there
twice, nothing that nobody removed goes, an edit goes only where the field's word, `on_conflict` or a
decision says so, what is asked is what is undecided, and after two runs that nothing disturbs a
third one changes nothing.
"""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs

from canonical.allocation import Allocation, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import unstamped
from canonical.kind import FIELDS, Kind, Op, kind_of
from canonical.waiting import Rule
from connectors.contract.capabilities import Hold
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory, MemorySettings
from sync.decided import Take
from sync.engine import Engine
from sync.fields import Fields, OnConflict, OnNew, Owner
from sync.outcome import Outcome
from sync.queue import asked_by
from sync.rename import Renamer
from sync.renames import CannotRename, RenameWaits
from sync.spec import OnRemove, SyncSpec
from sync.state.checking import check
from sync.state.decisions import Decided, Ruling
from sync.state.ledger import Ledger
from sync.state.owners import Owners
from sync.state.stops import Stops
from sync.state.waits import Waits
from sync.undo.plan import Undo
from sync.unread import TOGETHER
from tests.properties.edits_kept import Diary, Judge, Two
from tests.properties.test_engine_machine import (
    CRASHED,
    FREE,
    LOST,
    PICKS,
    WRITES,
    Clock,
    Crash,
    Fate,
    empty_state,
    open_store,
    tidied,
    user,
)

SYNC = "s"
EDITED = {
    Kind.BUDGET: ("name", "description", "owners", "amount"),
    Kind.ALLOCATION: ("amount",),
}
SIDES = st.sampled_from(["source", "target"])
AT = st.integers(1, 4)


class OnlyRead(MemorySettings):
    def only_read(self):
        return "it is closed"


@dataclass(frozen=True)
class Terms:
    """What the two systems are like, and the words of the sync between them."""

    only_read: bool
    keys: bool
    stamps: bool
    rounds: str
    tidy: frozenset
    batch: int
    fields: Fields
    on_remove: OnRemove

    def system(self, side, clock):
        able = Memory.capabilities
        said = {"batch": self.batch if side == "target" else 1}
        if not self.keys:
            said["key_lifetime"] = able.key_lifetime * 0
        if not self.stamps:
            said["stamps"] = frozenset()
        if self.rounds == side:
            said |= {"amount_digits": 0}
            said["budget"] = {**able.budget, "amount": Hold.ROUNDED}
            said["allocation"] = {**able.allocation, "amount": Hold.ROUNDED}
        closed = self.only_read and side == "source"
        made = Memory.with_capabilities(**said)(
            side, OnlyRead() if closed else MemorySettings(), Runtime(now=clock, sleep=clock.sleep)
        )
        if side in self.tidy:
            made.normalise = tidied
        return made


@st.composite
def all_terms(draw):
    only_read = draw(st.booleans())
    default = draw(st.sampled_from([Owner.SOURCE] if only_read else [Owner.SOURCE, Owner.EITHER]))
    words = {}
    for kind, names in EDITED.items():
        for name in names:
            word = draw(st.none() | st.sampled_from(Owner))
            together = TOGETHER & {*FIELDS[kind]} if name == "amount" else {name}
            for each in together if word else ():
                words[kind, each] = word
    fields = Fields(
        default=default,
        words=words,
        on_conflict=draw(st.sampled_from(OnConflict)),
        on_new=draw(st.sampled_from([OnNew.REPORT] if only_read else OnNew)),
    )
    return Terms(
        only_read=only_read,
        keys=draw(st.booleans()),
        stamps=draw(st.booleans()),
        rounds=draw(st.sampled_from(["neither", "source", "target"])),
        tidy=frozenset(draw(st.sets(SIDES))),
        batch=draw(st.sampled_from([1, 3])),
        fields=fields,
        on_remove=draw(st.sampled_from(OnRemove)),
    )


def usd(number):
    return Amount.of(number, "USD")


def alive(model):
    return model.status is not Status.RETIRED


class TwoPeoples(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.folder = Path(tempfile.mkdtemp(prefix="trueup-words-"))
        shutil.copy(empty_state(), self.folder / "trueup.db")
        self.store = open_store(self.folder, self.clock)
        self.number, self.fate, self.last_run = 0, Fate(), None
        self.diary, self.there, self.loose = Diary(), set(), set()
        self.dirty = False

    @initialize(terms=all_terms())
    def begin(self, terms):
        self.terms = terms
        self.judge = Judge(terms.fields.on_conflict, terms.only_read)
        self.sides = {name: terms.system(name, self.clock) for name in ("source", "target")}
        for system in self.sides.values():
            system.before = lambda operation, _: self._hears("before", operation)
            system.after = lambda operation, _: self._hears("after", operation)
        for _ in range(2):
            self.add_a_budget(side="source")
        self.add_a_share(side="source", pick=0)
        self.a_settled_run()

    def teardown(self):
        if hasattr(self, "terms"):
            self.a_settled_run()
        self.store.close()
        shutil.rmtree(self.folder)

    def _hears(self, when, operation):
        self.fate.meets(f"{when} {'write' if operation in WRITES else 'read'}")

    # -- what people do --------------------------------------------------------------------------

    def _next(self):
        self.number, self.dirty = self.number + 1, True
        return self.number

    def _put(self, side, model):
        system = self.sides[side]
        system.put(system.normalise(self._rounded(side, model)))

    def _rounded(self, side, model):
        if self.terms.rounds != side:
            return model
        return structs.replace(model, amount=usd(self._whole(model.amount)))

    def _whole(self, amount):
        """What is left of an amount where one of the sides knows no cents."""
        value = Decimal(amount.facts()[0]) if hasattr(amount, "facts") else amount.value
        return value if self.terms.rounds == "neither" else value.to_integral_value(ROUND_FLOOR)

    @rule(side=SIDES)
    def add_a_budget(self, side):
        number = self._next()
        name = f"B{number}"
        self._put(
            side,
            Budget(
                ref=name,
                name=f"{name} new",
                description=f"of {name}",
                owners=(f"{name}@example.com",),
                amount=usd(f"{number}.25"),
            ),
        )

    @precondition(lambda self: self.sides["source"]._rows)
    @rule(side=SIDES, pick=PICKS)
    def add_a_share(self, side, pick):
        budgets = self._alive(side, Kind.BUDGET)
        if budgets:
            above, number = budgets[pick % len(budgets)], self._next()
            ref = f"a{number}"
            share = Allocation(ref=ref, budget=above, entity=user(ref), amount=usd(f"{number}.25"))
            self._put(side, share)

    @rule(edits=st.lists(st.tuples(SIDES, PICKS, PICKS), min_size=1, max_size=4))
    def edit(self, edits):
        for side, pick, which in edits:
            place = self._place(side, pick)
            if place:
                names = EDITED[place[0]]
                self._edit(side, place, names[which % len(names)], self._next())

    @rule(pick=PICKS, which=PICKS, alike=st.booleans())
    def edit_both(self, pick, which, alike):
        """To one value, or to two."""
        place = self._place("target", pick)
        if place:
            name = EDITED[place[0]][which % len(EDITED[place[0]])]
            number = self._next()
            self._edit("source", place, name, number)
            self._edit("target", place, name, number if alike else self._next())

    def _edit(self, side, place, name, number):
        row = self._row(side, place)
        said = {
            "name": f"{row.model.name.split()[0]}  v{number}" if place[0] is Kind.BUDGET else "",
            "description": f"said {number}",
            "owners": (f"o{number}",),
            "amount": usd(f"{number}.25"),
        }[name]
        if name == "description":  # people who edit a text leave its stamp alone
            _, stamp = unstamped(row.model.description)
            said = (
                said
                if stamp is None
                else row.model.description.replace(
                    unstamped(row.model.description)[0] or "\0", said
                )
            )
            if unstamped(said)[0] != f"said {number}":
                return
        model = self._rounded(side, structs.replace(row.model, **{name: said}))
        row.model = self.sides[side].normalise(model)
        self.diary.edited(place, name, side)

    @rule(side=SIDES, pick=PICKS, retired=st.booleans())
    def remove(self, side, pick, retired):
        place = self._place(side, pick)
        if place is None:
            return
        system, row = self.sides[side], self._row(side, place)
        self.dirty = True
        for each in [place, *self._below(place)]:
            self.loose.add(each)
            self.diary.forget(each)
        if retired:
            system.edit(row.id, status=Status.RETIRED)
        else:
            system.drop(row.id)

    @rule(pick=PICKS)
    def rename(self, pick):
        """A code changes in the source, and a person says so."""
        places = [each for each in self._pairs() if each[0] is Kind.BUDGET]
        if not places:
            return
        old = sorted(places)[pick % len(places)][1][1]
        new = f"R{self._next()}"
        self._rename_in_the_source(old, new)
        try:
            self._renamer().rename(old, new, None, lambda renaming: True)
        except (RenameWaits, CannotRename):
            self._rename_in_the_source(new, old)
            return
        for kind, key in self.there | self.loose | self.diary.told.keys():
            if old in key:
                place = kind, tuple(new if each == old else each for each in key)
                for known in (self.there, self.loose):
                    if (kind, key) in known:
                        known.remove((kind, key))
                        known.add(place)
                self.diary.moved((kind, key), place)

    def _rename_in_the_source(self, old, new):
        rows = self.sides["source"]._rows
        for row in list(rows.values()):
            if row.id == old:
                del rows[old]
                row.id, row.model = new, structs.replace(row.model, ref=new)
                rows[new] = row
            elif row.container == old:
                row.container = new
                row.model = structs.replace(row.model, budget=new)

    def _asked(self):
        rules = (Rule.CONFLICT, Rule.DRIFT, Rule.REMOVED)
        asked = Waits(self.store).queue([SYNC]).waits
        return [each for each in asked if each.waiting.rule in rules]

    @precondition(_asked)
    @rule(pick=PICKS, take=PICKS, at_once=st.booleans())
    def decide(self, pick, take, at_once):
        """What waits, one way or the other."""
        asked = self._asked()
        wait = asked[pick % len(asked)]
        said = wait.waiting
        takes = [Take.SOURCE, Take.TARGET]
        if said.field in ("name", "description", "amount"):
            takes.append(Take.VALUE)
        chosen, value = takes[take % len(takes)], None
        place = said.kind, (said.budget_ref or "", said.ref)
        if chosen is Take.VALUE:
            number = self._next()
            first = str(said.source or "").split()[:1]
            value = {
                "name": " ".join([*first, f"d{number}"]),
                "description": f"decided {number}",
                "amount": f"{number}.00",
            }[said.field]
        Decided(self.store).decide([Ruling(wait=wait, take=chosen, value=value)])
        if said.field is None:
            for each in [place, *self._below(place)]:
                self.loose.add(each)
                self.diary.forget(each)
        else:
            fact = {Take.SOURCE: said.source, Take.TARGET: said.target}.get(chosen, value)
            self.diary.took(place, said.field, self._plain(said.field, fact))
        if at_once:
            self.a_settled_run()

    # -- runs ------------------------------------------------------------------------------------

    @precondition(lambda self: self.dirty)
    @rule(kind=LOST | CRASHED, at=AT, aged=st.booleans())
    def a_run_that_is_disturbed(self, kind, at, aged):
        """Then the next run begins when the lease of the dead has ended, or its keys have too."""
        self._run_until(Fate(kind, at), lambda: self._engine().run(self.clock.day, command="run"))
        self.clock.sleep(2 * 86_400 if aged else 0)

    def _run_until(self, fate, run):
        self.fate = self.store.fate = fate
        try:
            report = run()
            assert report.outcome is not Outcome.FAILED, report.error
        except Crash:
            self.store.close()
            self.clock.sleep(31)
            self.store = open_store(self.folder, self.clock)
        finally:
            self.fate = self.store.fate = Fate()
        self.diary.disturbed()
        self._nothing_is_doubled()

    @rule(disturbed=st.none() | LOST | CRASHED, at=AT)
    def undo(self, disturbed, at):
        """The last run that was whole; then the sync goes on."""
        if self.last_run is None:
            return
        told = Undo(self.last_run)
        edits = self._facts()
        self._run_until(
            Fate(disturbed or "none", at),
            lambda: self._engine().run(self.clock.day, command="undo", undo=told),
        )
        self.last_run = None
        Stops(self.store).resume(SYNC)
        for place, fields in edits.items():
            for name in fields:
                told = self.diary.told.get(place, {}).get(name)
                for side in told.sides if told else ():
                    after = self._facts().get(place, {}).get(name)
                    assert after is None or getattr(after, side) == getattr(fields[name], side), (
                        f"the undo took an edit back: {place} {name}"
                    )
        self.loose |= {*self._known()}
        self.diary.told.clear()

    @rule()
    def a_settled_run(self):
        """Two runs; then a third changes nothing, and all is as it should be."""
        before = self.diary.before(self._facts())
        self._run()
        plan = self._engine().plan(self.clock.day)
        if plan.pending:
            self._run()
            plan = self._engine().plan(self.clock.day)
        rows = self._snapshot()
        assert not plan.pending, plan.pending
        self._run(remember=False)
        assert self._snapshot() == rows
        self._nothing_is_doubled()
        self._what_is_asked_is_what_waits(plan)
        blocked = {
            (each.kind, (each.budget_ref or "", each.ref))
            for each in plan.changes
            if each.op is Op.BLOCKED
        }
        self._nothing_is_lost(plan, blocked)
        self._no_edit_is_lost(before, plan, blocked)
        self.dirty = False

    def _run(self, remember=True):
        report = self._engine().run(self.clock.day, command="run")
        assert report.outcome is not Outcome.FAILED, report.error
        if remember and report.operations:
            self.last_run = report.run_id
        return report

    # -- what must hold --------------------------------------------------------------------------

    def _nothing_is_doubled(self):
        for side in self.sides:
            names = Counter()
            for row in self.sides[side]._rows.values():
                if alive(row.model):
                    names[self._called(row.model), row.container] += 1
            assert max(names.values(), default=0) <= 1, (side, names)

    def _called(self, model):
        return model.name.split()[0] if isinstance(model, Budget) else model.entity

    def _nothing_is_lost(self, plan, blocked):
        pairs = self._pairs()
        held = {(each.kind, (each.budget_ref or "", each.ref)) for each in plan.waits}
        for place in self._stated():
            if place in self.loose or place in blocked:
                continue
            assert place in pairs, f"{place} is in the source and not in the target"
        for place in self.there - self.loose:
            assert place in pairs, f"{place} was on both sides"
        self._strangers_are_made()
        self.there = pairs.keys() - held
        self.loose = {each for each in self.loose if each not in pairs or each in held}

    def _strangers_are_made(self):
        """But where the source would state them otherwise than the target shows them."""
        rounds = self.terms.rounds == "source"
        if self.terms.fields.on_new is not OnNew.CREATE or self.loose or rounds:
            return
        pairs = {row[1] for row in self._pairs().values()}
        for id, row in self.sides["target"]._rows.items():
            assert id in pairs or not alive(row.model), f"{id} was not made in the source"

    def _no_edit_is_lost(self, before, plan, blocked):
        after, waits = self._facts(), {}
        for each in plan.waits:
            waits.setdefault((each.kind, (each.budget_ref or "", each.ref)), set()).add(each.field)
        for place, fields in before.items():
            if place not in after:
                assert place in self.loose, place
                continue
            for name, told in fields.items():
                asked = waits.get(place, set())
                together = name == "amount" and not asked.isdisjoint(TOGETHER)
                fault = self.judge.fault(
                    self.terms.fields.of(place[0], name),
                    told,
                    after[place][name],
                    waits=name in asked or None in asked or together,
                    blocked=place in blocked,
                )
                assert not fault, f"{place} {name}: {fault}"
        open = {
            (place, name)
            for place, fields in after.items()
            for name in fields
            if place in blocked or not {name, None}.isdisjoint(waits.get(place, ()))
        }
        self.diary.settle(after, open)

    def _what_is_asked_is_what_waits(self, plan):
        queue = Waits(self.store).queue([SYNC]).waits
        asked = {each.question.name for each in queue if each.answer is None}
        assert asked == {each.name for each in asked_by(plan)}
        assert check(self.store).fault is None

    # -- both sides ------------------------------------------------------------------------------

    def _facts(self):
        """What both have of the objects that both have in use."""
        return {
            place: {
                name: Two(*(self._fact(row.model, name) for row in rows))
                for name in EDITED[place[0]]
            }
            for place, (*rows, _) in self._both().items()
        }

    def _fact(self, model, name):
        if name == "amount":
            return self._whole(model.amount)
        return self._plain(name, getattr(model, name))

    def _plain(self, name, value):
        """Apart from what tidy systems make of it."""
        if name == "amount":
            return self._whole(usd(value))
        if name == "owners":
            return tuple(sorted({*(value or ())} - {"boss"}))
        if name == "description":
            return unstamped(value)[0] or None
        return " ".join(value.split())

    def _both(self):
        """Where a link says so: the two rows, and the target's id."""
        found, stated = {}, self._stated()
        for kind in Kind:
            for key, id in self._links(kind).items():
                ours, theirs = stated.get((kind, key)), self.sides["target"]._rows.get(id)
                if ours and theirs and alive(theirs.model):
                    found[kind, key] = ours, theirs, id
        return found

    def _pairs(self):
        return {place: (row, id) for place, (row, _, id) in self._both().items()}

    def _stated(self):
        """What the source has in use, by kind and key; nothing below what it retired."""
        rows = self.sides["source"]._rows
        found = {}
        for row in rows.values():
            above = rows.get(row.container) if isinstance(row.model, Allocation) else None
            if alive(row.model) and (above is None or alive(above.model)):
                key = row.container or "", row.model.ref
                found[kind_of(row.model), key] = row
        return found

    def _links(self, kind):
        ledger = Ledger(self.store, SYNC)
        links = ledger.by_ids(list(ledger.ids(kind))).values()
        return {(link.budget_ref, link.ref): link.target_id for link in links}

    def _known(self):
        linked = {(kind, key) for kind in Kind for key in self._links(kind)}
        return linked | self._stated().keys()

    def _below(self, place):
        kind, (_, ref) = place
        return [each for each in self._known() if kind is Kind.BUDGET and each[1][0] == ref]

    def _place(self, side, pick):
        """One of the objects of that side that are in use on both, or in the source alone."""
        places = sorted(self._stated() if side == "source" else self._pairs())
        return places[pick % len(places)] if places else None

    def _row(self, side, place):
        return self._stated()[place] if side == "source" else self._both()[place][1]

    def _alive(self, side, kind):
        rows = self.sides[side]._rows.values()
        return sorted(r.id for r in rows if alive(r.model) and kind_of(r.model) is kind)

    def _snapshot(self):
        return {
            (side, id): (row.model, row.container, row.reference)
            for side, system in self.sides.items()
            for id, row in system._rows.items()
        }

    def _renamer(self):
        account = self.sides["target"].settings.account("target", "")
        owners = Owners(self.store, SYNC, account, {})
        return Renamer(self._spec(), self.sides["source"], self.store, owners, self.clock)

    def _spec(self):
        return SyncSpec(
            name=SYNC,
            source="source",
            target="target",
            on_remove=self.terms.on_remove,
            parallel=1,
            limits=FREE,
            fields=self.terms.fields,
        )

    def _engine(self):
        return Engine(
            self._spec(),
            self.sides["source"],
            self.sides["target"],
            self.store,
            now=self.clock,
            monotonic=lambda: self.clock.time.timestamp(),
        )


SHORT = settings(
    max_examples=3,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
LONG = settings(SHORT, max_examples=50, stateful_step_count=40)

TestWords = TwoPeoples.TestCase
TestWords.settings = SHORT


@pytest.mark.faults
@pytest.mark.parametrize("number", range(5))
def test_ten_thousand_steps(number):
    """Two thousand of them, which that number chooses."""
    chosen = seed(number)(type(f"Seed{number}", (TwoPeoples,), {}))

    run_state_machine_as_test(chosen, settings=LONG)

"""What is asked for: the money that counts, the guards that were seen, and for how long."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from canonical.change import Change, Plan, Trip
from canonical.kind import Kind, Op
from canonical.money import Counted, Move
from canonical.period import Cadence
from canonical.side import Side
from sync.approving import Approving, Grant
from sync.findings import Findings
from sync.scales import Scales, Weighed
from sync.spec import Approval, Limit, SyncSpec
from sync.state.approvals import Approvals, End, Request
from sync.state.journal import Journal
from sync.state.lease import Lease
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
WEEK = timedelta(days=7)
LATER = date(2026, 7, 1)


def spec(approval, name="s"):
    return SyncSpec(name=name, source="erp", target="shop", approval=approval)


def over(number):
    return spec(Approval(Limit(money={"USD": Decimal(number)})))


def weighed(ref, op, number, day=TODAY, before=None):
    was, will = (
        None if each is None else Counted(Decimal(each), "USD", Cadence.MONTHLY)
        for each in (before, number)
    )
    return Weighed(Kind.BUDGET, ("", ref), op, (Move(day, was, will),))


def found_of(*all_weighed, back=()):
    found = Findings(scales=Scales(TODAY), weighed_back=[*back])
    for each in all_weighed:
        found.scales.put(each)
    return found


def update(ref, side=Side.TARGET):
    return Change(op=Op.UPDATE, kind=Kind.BUDGET, ref=ref, side=side)


def plan(*changes, guards=(), id="p1"):
    return Plan(
        plan_id=id, sync="s", source="erp", target="shop", as_of=TODAY,
        changes=changes, guards=tuple(guards),
    )  # fmt: skip


def trip(actual, rule="max_money"):
    return Trip(rule, "10%", actual, "too much", f"--allow {rule}")


def granted(beyond=(), guards=(), low=()):
    request = Request(
        plan_id="p1", sync="s", digest="", deeds="", reason="", asked_at=NOW, asked_by="ann",
        until=NOW + WEEK,
    )  # fmt: skip
    return Grant(request, plan(guards=guards), {}, frozenset(beyond), frozenset(low))


# -- what needs one ------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "needs"), [(500, False), (501, True)])
def test_only_the_money_of_what_is_to_be_made_counts(number, needs):
    found = found_of(weighed("A", Op.UPDATE, number), weighed("B", Op.UPDATE, 9000))

    assert bool(Approving(over(500), None).needed(found, [update("A")])) == needs


def test_the_money_of_each_side_counts_where_that_side_is_changed():
    moved = weighed("A", Op.UPDATE, 600)
    there, here = found_of(moved), found_of(back=[moved])
    approving = Approving(over(500), None)

    assert approving.needed(there, [update("A")])
    assert approving.needed(here, [update("A", Side.SOURCE)])
    assert not approving.needed(there, [update("A", Side.SOURCE)])
    assert not approving.needed(here, [update("A")])


def test_money_that_the_target_is_told_later_counts_unless_the_approver_saw_it():
    found, approving = found_of(weighed("A", None, 600, LATER)), Approving(over(500), None)
    seen = asked(found)["beyond"]

    assert approving.needed(found, [])
    assert approving.needed(found, [], granted())
    assert not approving.needed(found, [], granted(seen))


@pytest.mark.parametrize(
    "other",
    [
        weighed("A", None, 601, LATER),
        weighed("A", None, 600, LATER, before=1),
        weighed("B", None, 600, LATER),
    ],
)
def test_other_money_than_the_approver_saw_counts(other):
    seen = asked(found_of(weighed("A", None, 600, LATER)))["beyond"]

    assert Approving(over(500), None).needed(found_of(other), [], granted(seen))


def asked(found):
    """What a plan that is asked for says beside its changes."""
    seen = {}

    class Keeping:
        def masked(self, data):
            seen.update(data)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Approving(over(500), Keeping()).ask(None, plan(), "much", found)
    return seen


def test_with_a_yes_what_the_changes_move_counts_no_more():
    found = found_of(weighed("A", Op.UPDATE, 600))

    assert Approving(over(500), None).needed(found, [update("A")], granted()) is None


def test_nothing_to_do_needs_none_and_nor_does_a_sync_that_asks_for_none():
    found = found_of(weighed("A", Op.UPDATE, 600))

    assert Approving(spec(Approval()), None).needed(found_of(), []) is None
    assert Approving(spec(None), None).needed(found, [update("A")]) is None


@pytest.mark.parametrize(
    ("met", "saw"),
    [
        (trip("20%"), True),
        (trip("21%"), False),
        (trip("20%", "max_changes"), False),
    ],
)
def test_a_guard_was_seen_with_its_numbers_alone(met, saw):
    assert granted(guards=[trip("20%")]).saw(met, Findings()) == saw


def test_what_is_lowered_below_what_is_spent_was_seen_for_those_objects_alone():
    met, others = trip("1", "below_spent"), found_of()
    low, others.below_spent = found_of(), {("target", "budget", "", "B")}
    low.below_spent = {("target", "budget", "", "A")}
    grant = granted(guards=[met], low=asked(low)["below_spent"])

    assert grant.saw(met, low)
    assert not grant.saw(met, others)


# -- what is asked for ---------------------------------------------------------------------------


class Desk:
    def __init__(self, store, clock, name):
        self.store, self.clock, self.name = store, clock, name
        self.lease = Lease.take(store, name, now=lambda: NOW)
        self.journal = Journal(store, name, self.lease)
        self.approving = Approving(spec(Approval(expires=WEEK), name), store)

    def ask(self, *guards, id):
        asked = plan(update("A"), guards=guards, id=f"{self.name} {id}")
        return self.approving.ask(self.journal, asked, "all", Findings())

    def ended(self, request):
        return Approvals(self.store).named(request.plan_id).ended_as


@pytest.fixture(scope="module")
def clock():
    return [NOW]


@pytest.fixture(scope="module")
def store(tmp_path_factory, clock):
    folder = tmp_path_factory.mktemp("approving")
    with closing(Store.open("sqlite:///state.db", folder, lambda: clock[0])) as store:
        yield store


@pytest.fixture
def desk(store, clock, request):
    clock[0] = NOW
    made = Desk(store, clock, request.node.name)
    yield made
    made.lease.release()


def test_what_is_asked_for_already_is_not_asked_for_again(desk):
    first = desk.ask(trip("20%"), id="p1")

    assert desk.ask(trip("20%"), id="p2") == first
    assert (first.until, desk.ended(first)) == (NOW + WEEK, None)


@pytest.mark.parametrize("met", [(), (trip("21%"),), (trip("20%", "max_changes"),)])
def test_other_guards_make_another_plan_that_takes_the_place_of_the_first(desk, met):
    first = desk.ask(trip("20%"), id="p1")

    second = desk.ask(*met, id="p2")

    assert second.plan_id == f"{desk.name} p2"
    assert (desk.ended(first), desk.ended(second)) == (End.OVERTAKEN, None)


def test_what_waited_until_now_is_over_and_is_asked_for_anew(desk):
    first = desk.ask(id="p1")
    desk.clock[0] = NOW + WEEK

    second = desk.ask(id="p2")

    assert second.plan_id == f"{desk.name} p2"
    assert desk.ended(first) == End.EXPIRED


@pytest.mark.parametrize(("later", "end"), [(timedelta(0), End.OVERTAKEN), (WEEK, End.EXPIRED)])
def test_what_a_run_does_without_is_let_go(desk, later, end):
    asked = desk.ask(id="p1")
    desk.clock[0] = NOW + later

    desk.approving.let_go(desk.journal)

    assert desk.ended(asked) == end

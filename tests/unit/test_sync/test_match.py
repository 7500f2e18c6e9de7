import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.records import Observed
from sync.match import Matched, Matcher, Newcomer


def budget(ref, name="Travel", status=Status.ACTIVE):
    return Budget(ref=ref, name=name, amount=Amount.of(1, "USD"), status=status)


def new(ref, name="Travel"):
    return Newcomer(("", ref), budget(ref, name))


def there(id, name="Travel", stamp=None, status=Status.ACTIVE):
    return Observed(id, budget(id, name, status), stamp)


def match(kind, newcomers, strangers):
    return Matcher(kind, {each.id: each for each in strangers}).match(newcomers)


def matched(newcomers, strangers):
    found, conflicts = match(Kind.BUDGET, newcomers, strangers)
    return {ref: (each.item.id, each.by) for (_, ref), each in found.items()}, conflicts


def test_a_stamp_is_stronger_than_a_name():
    strangers = [there("t1"), there("t2", name="Renamed", stamp="B1")]
    assert matched([new("B1")], strangers) == ({"B1": ("t2", "stamp")}, [])


def test_without_a_stamp_the_name_tells():
    assert matched([new("B1")], [there("t1", name=" TRAVEL ")]) == (
        {"B1": ("t1", "natural key")},
        [],
    )


def test_what_nobody_resembles_is_new():
    assert matched([new("B1")], [there("t1", name="Rent")]) == ({}, [])


def test_what_bears_anothers_stamp_is_never_taken_by_name():
    assert matched([new("B1")], [there("t1", stamp="B9")]) == ({}, [])


def test_what_is_retired_matches_nothing():
    over = [
        there("t1", status=Status.RETIRED),
        there("t2", stamp="B1", status=Status.RETIRED),
    ]
    assert matched([new("B1")], over) == ({}, [])


def test_what_is_inactive_may_return_and_is_adopted():
    assert matched([new("B1")], [there("t1", status=Status.INACTIVE)])[0]


@pytest.mark.parametrize("stamp", [None, "B1"])
def test_of_several_candidates_none_is_guessed(stamp):
    found, (conflict,) = matched([new("B1")], [there("t1", stamp=stamp), there("t2", stamp=stamp)])
    assert found == {}
    assert (conflict.ref, conflict.candidates) == ("B1", ("t1", "t2"))
    assert "rename or retire all but one" in conflict.reason


def test_of_several_claimants_of_one_name_none_gets_it():
    found, conflicts = matched([new("B1"), new("B2")], [there("t1")])
    assert found == {}
    assert [conflict.ref for conflict in conflicts] == ["B1", "B2"]
    assert "rename them" in conflicts[0].reason


def test_claimants_of_one_name_are_told_apart_by_stamps():
    found, conflicts = matched(
        [new("B1"), new("B2")], [there("t1", stamp="B2"), there("t2", stamp="B1")]
    )
    assert found == {"B1": ("t2", "stamp"), "B2": ("t1", "stamp")}
    assert not conflicts


def share(ref, container):
    model = Allocation(ref=ref, budget="B", entity=Entity("user", "ada"), amount=None)
    return Newcomer(("B", ref), model, container)


def placed(id, container, stamp=None):
    return Observed(id, share(id, container).model, stamp, container)


@pytest.mark.parametrize("stamp", [None, "a"])
def test_an_allocation_is_recognised_only_within_its_own_budget(stamp):
    elsewhere, here = placed("t1", "other", stamp), placed("t2", "home", stamp)
    found, conflicts = match(Kind.ALLOCATION, [share("a", "home")], [elsewhere, here])
    assert found["B", "a"].item is here
    assert not conflicts
    assert match(Kind.ALLOCATION, [share("a", "home")], [elsewhere])[0] == {}


def test_a_budget_is_recognised_wherever_it_hangs():
    moved = Observed("t1", budget("t1"), "B1", container="some other parent")
    assert match(Kind.BUDGET, [new("B1")], [moved])[0] == {("", "B1"): Matched(moved, "stamp")}


def taken(newcomers, strangers):
    matcher = Matcher(Kind.BUDGET, {each.id: each for each in strangers})
    first = [matcher.take(each) for each in newcomers]
    return [each and each.id for each in first], matcher


def test_the_only_bearer_of_a_stamp_is_taken_at_once_and_once():
    first, _ = taken([new("B1"), new("B1")], [there("t1", stamp="B1")])
    assert first == ["t1", None]


@pytest.mark.parametrize(
    "strangers",
    [
        [there("t1")],
        [there("t1", stamp="B1"), there("t2", stamp="B1")],
        [there("t1", stamp="B1", status=Status.RETIRED)],
    ],
    ids=["a name only", "two bearers", "retired"],
)
def test_what_a_stamp_alone_does_not_tell_is_not_taken(strangers):
    assert taken([new("B1")], strangers)[0] == [None]


def test_a_newcomer_that_was_taken_still_shares_its_name():
    first, matcher = taken([new("B1"), new("B2")], [there("t1", stamp="B1"), there("t2")])
    assert first == ["t1", None]

    found, (conflict,) = matcher.match([new("B2")])

    assert found == {}
    assert conflict.ref == "B2"


def shares(*amounts, prefix="t"):
    """Shares of Ada within one budget, of these amounts."""
    made = enumerate(Amount.of(each, "USD") for each in amounts)
    ada = Entity("user", "ada")
    return [
        Allocation(ref=f"{prefix}{n}", budget="b1", entity=ada, amount=amount) for n, amount in made
    ]


def told_apart(wanted, held, stamp=None):
    newcomers = [Newcomer(("B", each.ref), each, "b1") for each in shares(*wanted, prefix="n")]
    strangers = [Observed(each.ref, each, stamp, "b1") for each in shares(*held)]
    found, conflicts = match(Kind.ALLOCATION, newcomers, strangers)
    return {ref: each.item.id for (_, ref), each in found.items()}, [each.ref for each in conflicts]


@pytest.mark.parametrize(
    ("wanted", "held", "found", "conflicts"),
    [
        ((10, 20), (20, 10), {"n0": "t1", "n1": "t0"}, []),
        ((10, 10), (10, 10), {"n0": "t0", "n1": "t1"}, []),
        ((10, 20), (10,), {"n0": "t0"}, []),
        ((10, 25), (10, 20), {"n0": "t0", "n1": "t1"}, []),
        ((10, 10), (10,), {}, ["n0", "n1"]),
        ((10,), (10, 10), {}, ["n0"]),
        ((15, 25), (10, 20), {}, ["n0", "n1"]),
    ],
)
def test_shares_of_one_entity_are_told_apart_by_amount(wanted, held, found, conflicts):
    assert told_apart(wanted, held) == (found, conflicts)


def test_amounts_tell_nothing_of_what_bears_anothers_stamp():
    assert told_apart((10,), (10,), stamp="other") == ({}, [])


def test_namesakes_are_told_apart_by_what_the_target_tells_them_by():
    there_in_euro = Observed("t1", replace(budget("t1"), amount=Amount.of(1, "EUR")), None)
    strangers = {"t1": there_in_euro, "t2": there("t2")}
    found, conflicts = Matcher(Kind.BUDGET, strangers, {"currency"}).match([new("B1")])
    assert {ref: each.item.id for (_, ref), each in found.items()} == {"B1": "t2"}
    assert conflicts == []

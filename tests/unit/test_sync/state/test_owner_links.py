"""The owners: who the neighbours are, what they link, and how a link passes."""

from datetime import UTC, datetime

import pytest

from canonical.compare import Baseline
from canonical.kind import Kind
from sync.state.ledger import Entry, Ledger, LedgerError
from sync.state.owners import Owners

FACTS = ("Sales", None)
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def owners(store, sync, account="brex", settled=()):
    made = Owners(store, sync, account, settled)
    with store.write() as connection:
        made.say(connection)
    return made


def link(store, sync, target_id, ref="CC-1"):
    entry = Entry(
        kind=Kind.BUDGET,
        ref=ref,
        budget_ref="",
        target_id=target_id,
        origin="created",
        baseline=Baseline(FACTS, FACTS),
        source=b"s" * 16,
    )
    with store.write() as connection:
        Ledger(store, sync).save_many(connection, [entry], "run-1")
    return Ledger(store, sync).by_targets(Kind.BUDGET, [target_id])[target_id]


def taken(store, mine, giver, *links):
    with store.write() as connection:
        return mine.take(connection, giver, links)


def test_neighbours_are_the_syncs_of_the_same_account(store):
    owners(store, "south")
    owners(store, "abroad", "another brex")

    assert Owners(store, "north", "brex").names == ("south",)


def test_the_settings_tell_of_a_neighbour_until_it_has_run_elsewhere(store):
    assert Owners(store, "north", "brex", ["south"]).names == ("south",)

    owners(store, "south", "another brex")

    assert Owners(store, "north", "brex", ["south"]).names == ()


def test_what_a_neighbour_links_is_found_by_id_and_by_ref(store):
    owners(store, "south")
    theirs = link(store, "south", "b-1")
    north = Owners(store, "north", "brex")

    assert north.by_targets(Kind.BUDGET, ["b-1", "b-2"]) == {"b-1": ("south", theirs)}
    assert north.by_refs(Kind.BUDGET, [("", "CC-1"), ("", "x")]) == {
        ("", "CC-1"): ("south", theirs)
    }
    assert north.by_targets(Kind.ALLOCATION, ["b-1"]) == {}


def test_of_two_links_to_one_object_the_elder_owns_it(store):
    south = owners(store, "south")
    theirs, ours = link(store, "south", "b-1"), link(store, "north", "b-1")

    assert owners(store, "north").linked_before() == {ours.id: ("south", theirs)}
    south.refresh()
    assert south.linked_before() == {}


def test_the_ledger_links_nothing_that_a_neighbour_links(store):
    link(store, "south", "b-1")
    entry = Entry(
        kind=Kind.BUDGET, ref="x", budget_ref="", target_id="b-1", origin="adopted",
        baseline=Baseline(FACTS, FACTS), source=b"",
    )  # fmt: skip
    ledger = Ledger(store, "north", lambda: ["south"])

    with pytest.raises(LedgerError, match="belongs to the sync south"), store.write() as connection:
        ledger.save_many(connection, [entry], "run-1")


def test_a_link_passes_with_what_was_agreed(store):
    theirs = link(store, "south", "b-1")

    assert taken(store, Owners(store, "north", "brex"), "south", theirs) == 1

    assert Ledger(store, "north").by_targets(Kind.BUDGET, ["b-1"]) == {"b-1": theirs}
    assert Ledger(store, "north").baselines([theirs.id])[theirs.id].echo == FACTS
    assert Ledger(store, "south").count() == 0


def test_what_both_link_is_only_taken_from_the_giver(store):
    theirs, ours = link(store, "south", "b-1"), link(store, "north", "b-1")

    assert taken(store, Owners(store, "north", "brex"), "south", theirs) == 1

    assert Ledger(store, "north").by_targets(Kind.BUDGET, ["b-1"]) == {"b-1": ours}
    assert Ledger(store, "south").count() == 0


def test_what_is_no_longer_the_givers_is_not_counted(store):
    theirs = link(store, "south", "b-1")
    with store.write() as connection:
        Ledger(store, "south").forget(connection, theirs.id)

    assert taken(store, Owners(store, "north", "brex"), "south", theirs) == 0


def test_versions_do_not_outlive_the_givers_link(store):
    theirs = link(store, "south", "b-1")
    with store.write() as connection:
        Ledger(store, "south").save_versions(connection, {"b-1": "v1"}, NOW)

    taken(store, Owners(store, "north", "brex"), "south", theirs)

    assert Ledger(store, "south").versions(["b-1"]) == {}

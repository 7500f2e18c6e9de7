"""The ledger: links by either side's name, and baselines that come back exactly."""

from datetime import UTC, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import facts, fingerprint
from canonical.kind import Kind
from sync.state.ledger import Entry, Ledger, LedgerError

NOW = datetime(2026, 11, 20, tzinfo=UTC)
FACTS = ("Sales", None, "100.00", True, (("2026-01", "5.00"), ("a", ("b",))), ())
ECHO = ("SALES", None, "100.00", False, (), None)


@pytest.fixture
def ledger(store):
    return Ledger(store, "erp-to-brex")


def entry(ref="CC-1", target_id="b-1", *, kind=Kind.BUDGET, budget_ref="", **more):
    given = {"origin": "created", "baseline": Baseline(FACTS, ECHO), "source": b"s" * 16} | more
    return Entry(kind=kind, ref=ref, budget_ref=budget_ref, target_id=target_id, **given)


def save(store, ledger, *entries):
    with store.write() as connection:
        ledger.save_many(connection, entries, "run-1")


def test_a_link_is_found_by_target_by_ref_and_by_id(store, ledger):
    with store.write() as connection:
        ledger.save(
            connection,
            kind=Kind.ALLOCATION,
            ref="A-1",
            budget_ref="CC-1",
            target_id="l-1",
            origin="adopted",
            baseline=Baseline(FACTS, ECHO),
            source=b"s" * 16,
            run_id="run-1",
        )
    link = ledger.by_targets(Kind.ALLOCATION, ["l-1", "l-2"])["l-1"]
    assert link[1:] == (
        Kind.ALLOCATION, "A-1", "CC-1", "l-1", "adopted", fingerprint(FACTS), fingerprint(ECHO), b"s" * 16,
    )  # fmt: skip
    assert ledger.by_refs(Kind.ALLOCATION, [("CC-1", "A-1"), ("CC-2", "A-1")]) == {
        ("CC-1", "A-1"): link
    }
    assert ledger.by_ids([link.id, link.id + 1]) == {link.id: link}
    assert type(ledger.by_ids([link.id])[link.id].kind) is Kind


def test_it_tells_what_the_target_last_showed_below_what(store, ledger):
    nested = facts(Budget(ref="b-2", name="Data", amount=None, parent="b-1"))
    entity = Entity("user", "ada")
    shared = facts(Allocation(ref="l-1", budget="b-2", entity=entity, amount=None))
    save(
        store,
        ledger,
        entry(baseline=Baseline((), facts(Budget(ref="b-1", name="A", amount=None)))),
        entry("CC-2", "b-2", baseline=Baseline(FACTS, nested)),
        entry("A", "l-1", kind=Kind.ALLOCATION, budget_ref="CC-2", baseline=Baseline((), shared)),
    )
    save(store, Ledger(store, "another"), entry("CC-3", "b-3", baseline=Baseline((), nested)))
    places = ledger.placed()
    assert places == {"b-2": "b-1", "l-1": "b-2"}
    assert [places.get(id) for id in ("l-1", "b-1", "b-3")] == ["b-2", None, None]
    assert len(places) == 2


def test_names_in_any_script_and_with_quotes_are_found(store, ledger):
    odd = "Größe \"x\" 'y' \\ 予算"
    save(store, ledger, entry(odd, odd))
    assert list(ledger.by_targets(Kind.BUDGET, [odd])) == [odd]
    assert list(ledger.by_refs(Kind.BUDGET, [("", odd)])) == [("", odd)]


def test_a_baseline_comes_back_exactly_with_its_nested_tuples(store, ledger):
    save(store, ledger, entry())
    (id,) = ledger.ids(Kind.BUDGET)
    assert ledger.baselines([id, id + 1]) == {id: Baseline(FACTS, ECHO)}


@pytest.mark.parametrize("shown", [None, (), FACTS])
def test_what_the_source_showed_comes_back_and_is_told_from_nothing(store, ledger, shown):
    save(store, ledger, entry(baseline=Baseline(FACTS, ECHO, shown=shown)))

    (agreed,) = ledger.baselines([*ledger.ids(Kind.BUDGET)]).values()

    assert agreed.shown == shown


def test_saving_again_brings_a_link_up_to_date_and_keeps_its_id_and_origin(store, ledger):
    save(store, ledger, entry(origin="adopted"))
    (before,) = ledger.by_refs(Kind.BUDGET, [("", "CC-1")]).values()
    save(store, ledger, entry(target_id="b-2", baseline=Baseline(ECHO, FACTS), source=b"t" * 16))
    (after,) = ledger.by_refs(Kind.BUDGET, [("", "CC-1")]).values()
    assert (after.id, after.origin) == (before.id, "adopted")
    assert (after.target_id, after.source) == ("b-2", b"t" * 16)
    assert (after.desired, after.echo) == (before.echo, before.desired)
    assert ledger.baselines([after.id])[after.id] == Baseline(ECHO, FACTS)


def test_one_object_of_the_target_cannot_stand_for_two_of_ours(store, ledger):
    save(store, ledger, entry("CC-1", "b-1"))
    with pytest.raises(LedgerError, match="b-1 is linked to CC-1 already"):
        save(store, ledger, entry("CC-2", "b-1"))
    assert ledger.count() == 1


def test_two_refs_for_one_target_id_in_one_batch_are_refused_whole(store, ledger):
    with pytest.raises(LedgerError):
        save(store, ledger, entry("CC-1", "b-1"), entry("CC-2", "b-1"))
    assert ledger.count() == 0


def test_equal_ids_of_another_kind_or_sync_are_other_links(store, ledger):
    other = Ledger(store, "erp-to-bill")
    save(store, ledger, entry(), entry(kind=Kind.ALLOCATION))
    save(store, other, entry())
    assert (ledger.count(), ledger.count(Kind.BUDGET), other.count()) == (2, 1, 1)
    (mine,), (theirs,) = ledger.ids(Kind.BUDGET), other.ids(Kind.BUDGET)
    assert mine != theirs
    assert ledger.by_ids([theirs]) == {}


def test_a_forgotten_link_takes_its_baseline_along(store, ledger):
    save(store, ledger, entry("CC-1", "b-1"), entry("CC-2", "b-2"))
    first, second = ledger.ids(Kind.BUDGET)
    with store.write() as connection:
        ledger.forget(connection, first)
        ledger.forget_ref(connection, Kind.ALLOCATION, "", "CC-2")
    assert list(ledger.ids(Kind.BUDGET)) == [second]
    assert list(ledger.baselines([first, second])) == [second]
    with store.write() as connection:
        ledger.forget_ref(connection, Kind.BUDGET, "", "CC-2")
    assert ledger.count() == 0


def test_another_sync_cannot_forget_our_link(store, ledger):
    save(store, ledger, entry())
    (id,) = ledger.ids(Kind.BUDGET)
    with store.write() as connection:
        Ledger(store, "erp-to-bill").forget(connection, id)
    assert ledger.count() == 1


def test_thousands_are_saved_in_batches_and_their_ids_stay_dense(store, ledger):
    entries = [entry(f"CC-{n}", f"b-{n}") for n in range(2500)]
    for _ in range(3):
        save(store, ledger, *entries)
    save(store, ledger, entry("CC-new", "b-new"))
    assert list(ledger.ids(Kind.BUDGET)) == list(range(1, 2502))
    links = ledger.by_targets(Kind.BUDGET, [each.target_id for each in entries[:1000]])
    assert {link.target_id: link.ref for link in links.values()} == {
        f"b-{n}": f"CC-{n}" for n in range(1000)
    }


def test_what_is_saved_in_an_undone_transaction_is_not_remembered(store, ledger):
    def saved_and_failed():
        with store.write() as connection:
            ledger.save_many(connection, [entry()], "run-1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        saved_and_failed()
    assert ledger.count() == 0


@pytest.mark.parametrize("by", ["id", "ref"])
def test_what_is_forgotten_is_not_vouched_for_by_a_version_either(store, ledger, by):
    save(store, ledger, entry(), entry("CC-2", "b-2"))
    (link,) = ledger.by_targets(Kind.BUDGET, ["b-1"]).values()
    with store.write() as connection:
        ledger.save_versions(connection, {"b-1": "v1", "b-2": "v1"}, NOW)
    with store.write() as connection:
        if by == "id":
            ledger.forget(connection, link.id)
        else:
            ledger.forget_ref(connection, Kind.BUDGET, "", "CC-1")
    assert ledger.versions(["b-1", "b-2"]) == {"b-2": "v1"}
    assert ledger.count() == 1

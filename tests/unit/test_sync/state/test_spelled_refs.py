"""The state of a version that took refs as they were spelled: what was linked stays linked."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from canonical.compare import Baseline
from canonical.kind import Kind, Op
from sync.state.ledger import Entry, Ledger
from sync.state.store import VERSION_TABLE, Store, operations

DECOMPOSED, COMPOSED = "Cafe\u0301", "Caf\u00e9"


@pytest.fixture
def reopened(database_url, store):
    """The store, as a version left it that knew the refs given, opened by this one."""
    made = []

    def of(*refs):
        entries = [entry(ref, f"b-{index}") for index, ref in enumerate(refs)]
        with store.write() as connection:
            Ledger(store, "hr").save_many(connection, entries, "run-1")
            for later in (
                "audit",
                "stops",
                "waits",
                "decisions",
                "approvals",
                "slots",
                "call_slots",
                "tellings",
                "messages",
            ):
                connection.execute(text(f"DROP TABLE {later}"))
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0006'"))
        made.append(Store.open(database_url, Path("/"), lambda: datetime.now(UTC)))
        return made[-1]

    yield of
    for each in made:
        each.close()


def entry(ref, target_id):
    facts = Baseline(("Sales", None), ("Sales", None))
    return Entry(
        kind=Kind.BUDGET, ref=ref, budget_ref="", target_id=target_id, origin="created",
        baseline=facts, source=b"s" * 16,
    )  # fmt: skip


def linked(store, ref):
    found = Ledger(store, "hr").by_refs(Kind.BUDGET, [("", ref)]).get(("", ref))
    return found and found.target_id


def test_a_link_is_found_by_the_refs_present_spelling(reopened):
    store = reopened(DECOMPOSED, "CC\u00a01", "plain")

    assert [linked(store, ref) for ref in (COMPOSED, "CC 1", "plain")] == ["b-0", "b-1", "b-2"]


def test_two_links_that_spell_one_ref_are_both_kept(reopened):
    store = reopened(DECOMPOSED, COMPOSED)

    assert (linked(store, DECOMPOSED), linked(store, COMPOSED)) == ("b-0", "b-1")


def test_the_journal_follows(reopened, store):
    row = {
        "id": "o-1", "run_id": "run-1", "sync": "hr", "seq": 0, "op": Op.CREATE,
        "kind": Kind.ALLOCATION, "ref": DECOMPOSED, "budget_ref": DECOMPOSED, "key": "k",
        "fingerprint": "", "fields": [], "state": "uncertain",
    }  # fmt: skip
    with store.write() as connection:
        connection.execute(insert(operations).values(row))
    with reopened().read() as connection:
        query = select(operations.c.budget_ref, operations.c.ref)
        assert tuple(connection.execute(query).one()) == (COMPOSED, COMPOSED)

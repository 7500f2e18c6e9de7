"""The state of a version whose allocations had one amount: what was agreed stays agreed."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.facts import ALLOCATION_FIELDS, fingerprint
from canonical.period import Cadence
from connectors.contract.capabilities import Hold
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import SyncSpec
from sync.state.store import VERSION_TABLE, Store, baselines, links

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
AT = ALLOCATION_FIELDS.index("phases")
FOLLOWING = dict.fromkeys(ALLOCATION_FIELDS, Hold.EXACT) | dict.fromkeys(
    ("start", "end", "cadence"), Hold.FOLLOWS
)


@pytest.fixture(params=[{}, {"allocation": FOLLOWING}], ids=["as stated", "less than stated"])
def sides(request):
    source, target = Memory("erp"), Memory.with_capabilities(**request.param)("target")
    source.put(
        Budget(ref="B", name="B", amount=Amount.of(100, "USD"), cadence=Cadence.MONTHLY,
               start=date(2026, 1, 1), end=date(2026, 12, 31)),
        Allocation(ref="a", budget="B", entity=Entity("user", "ädä"), amount=Amount.of(5, "USD")),
        Allocation(ref="b", budget="B", entity=Entity("user", "bob"), amount=Amount.of(7, "USD")),
    )  # fmt: skip
    return source, target


def engine(store, source, target):
    spec = SyncSpec(name="s", source="erp", target="target", parallel=1)
    return Engine(spec, source, target, store, now=lambda: NOW)


@pytest.fixture
def remembered(store, sides):
    """What a run of this version remembers."""
    assert engine(store, *sides).run(TODAY, command="test").counts["applied"] == 3
    return _remembered(store)


@pytest.fixture
def upgraded(database_url, store, remembered):
    """The same as the version before had it, opened by this one."""
    with store.write() as connection:
        for row in [each for each in remembered if each.kind == "allocation"]:
            wanted, answer = (_older(json.loads(each)) for each in (row.wanted, row.answer))
            said = {"desired": json.dumps(wanted), "echo": json.dumps(answer)}
            connection.execute(update(baselines).where(baselines.c.link_id == row.id).values(said))
            prints = {"desired": fingerprint(wanted), "echo": fingerprint(answer)}
            said = prints | ({"source": prints["desired"]} if row.source == row.desired else {})
            connection.execute(update(links).where(links.c.id == row.id).values(said))
        later_ones = ("audit", "stops", "waits", "decisions", "approvals", "slots", "call_slots")
        for later in (*later_ones, "tellings", "messages"):
            connection.execute(text(f"DROP TABLE {later}"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0007'"))
    opened = Store.open(database_url, Path("/"), lambda: NOW)
    yield opened
    opened.close()


def _older(facts):
    assert facts[AT] is None
    return (*facts[:AT], *facts[AT + 1 :])


def test_the_next_run_has_nothing_to_do(upgraded, sides):
    plan = engine(upgraded, *sides).plan(TODAY)
    assert (plan.summary["unchanged"], plan.changes) == (3, ())


def test_what_was_agreed_is_remembered_as_this_version_would(upgraded, remembered):
    assert _remembered(upgraded) == remembered


def _remembered(store):
    with store.read() as connection:
        query = select(links, baselines.c.desired.label("wanted"), baselines.c.echo.label("answer"))
        return connection.execute(query.join(baselines).order_by(links.c.id)).all()


def test_a_share_that_changes_afterwards_is_one_update(upgraded, sides):
    source, target = sides
    source.edit("B/a", amount=Amount.of(6, "USD"))
    (change,) = engine(upgraded, source, target).plan(TODAY).changes
    assert set(change.fields) == {"amount"}

"""What a target does not show, and may only hide, is left alone until a person says it is gone."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import Missing, Unseen
from connectors.contract.records import Page
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def budget(ref):
    return Budget(ref=ref, name=f"Budget {ref}", amount=Amount.of(100, "USD"))


def share(budget, who):
    user = Entity("user", who)
    return Allocation(ref=f"{budget}-{who}", budget=budget, entity=user, amount=Amount.of(5, "USD"))


class Veiled(Memory):
    """Shows what is `hidden` no more than what is gone."""

    hidden: frozenset[str] = frozenset()

    def list(self, kind, cursor=None, known=None):
        for page in super().list(kind, cursor):
            yield Page([each for each in page.items if each.id not in self.hidden])

    def get(self, kind, id):
        try:
            if id in self.hidden:
                raise Missing(f"no {id}")
            return super().get(kind, id)
        except Missing as error:
            raise Unseen(f"the target shows no {kind} {id}") from error


class Desk:
    def __init__(self, store):
        self.source, self.target, self.store = Memory("erp"), Veiled("target"), store
        self.source.put(budget("A"), budget("B"), share("B", "ada"))
        self.on_remove = OnRemove.KEEP

    def engine(self, name="s", source=None, **more):
        spec = SyncSpec(
            name=name, source="erp", target="target", limits=OPEN, on_remove=self.on_remove
        )
        source = source or self.source
        return Engine(spec, source, self.target, self.store, now=lambda: NOW, **more)

    def run(self, *allow):
        return self.engine().run(TODAY, command="run", allow=allow)

    def hide(self, *names):
        rows = self.target._rows.values()
        over = {row.id for row in rows if getattr(row.model, "name", "")[-1:] in names}
        self.target.hidden = frozenset(
            row.id for row in rows if row.id in over or row.container in over
        )


@pytest.fixture
def desk(tmp_path):
    with closing(Store.open("sqlite:///state.db", tmp_path, lambda: NOW)) as store:
        desk = Desk(store)
        assert desk.run().verified
        yield desk


def test_nothing_is_made_in_the_place_of_what_may_be_hidden(desk):
    desk.hide("B")
    desk.source.put(share("B", "eve"))

    report = desk.run()

    assert (report.outcome, report.operations) == (Outcome.PARTIAL, [])
    told = {each.where: each.message for each in report.plan.problems}
    assert list(told) == ["budget B"]
    assert "--allow unseen" in told["budget B"]


def test_what_is_seen_again_is_as_it_was(desk):
    desk.hide("B")
    desk.run()
    desk.hide()

    report = desk.run()

    assert (report.verified, report.operations) == (True, [])
    assert len(desk.target._rows) == 3


def test_what_a_person_says_to_be_gone_is_made_again_once(desk):
    desk.hide("B")

    report = desk.run("unseen")

    assert report.verified
    assert [(each.kind, each.op.value) for each in report.operations] == [
        (Kind.BUDGET, "create"),
        (Kind.ALLOCATION, "create"),
    ]
    assert desk.run().operations == []


@pytest.mark.parametrize("on_remove", [OnRemove.RETIRE, OnRemove.DELETE])
def test_what_is_not_shown_stays_known_though_the_source_states_it_no_more(desk, on_remove):
    desk.on_remove = on_remove
    desk.hide("B")
    desk.source.drop("B")
    report = desk.run()
    assert (report.verified, report.operations) == (True, [])
    assert {each.ref for each in report.plan.kept_objects} == {"B", "B-ada"}
    assert "--allow unseen" in report.plan.kept_objects[0].reason

    desk.hide()

    desk.run()
    left = [each.model for page in desk.target.list(Kind.BUDGET) for each in page.items]
    assert "B" not in [each.name[-1] for each in left if each.status.value == "active"]


def test_what_a_person_says_to_be_gone_is_forgotten_where_the_source_states_it_no_more(desk):
    desk.on_remove = OnRemove.RETIRE
    desk.hide("B")
    desk.source.drop("B")
    desk.run("unseen")

    assert desk.run().plan.kept_objects == ()

"""Rows of one category, offer or channel without a global row of their name: budgets of it."""

import pytest
from msgspec.structs import replace

from canonical.allocation import Enforcement
from canonical.kind import Kind, Op
from canonical.loss import Effect
from connectors.contract.errors import Rejected
from connectors.contract.records import Draft
from sync.spec import OnRemove
from tests.vendors.kaireon.stated import budget, share, told, usd

OFFER = {"offer": "card"}


def scopes(tenant):
    return {(row["name"], row["scope"], row["scopeId"]) for row in tenant.rows()}


def losses(report):
    return {(each.ref, loss.name) for each in report.plan.changes for loss in each.losses}


@pytest.mark.parametrize("scope", ["category", "offer", "channel"])
def test_a_budget_with_such_a_dimension_is_made_changed_and_removed(mirror, tenant, scope):
    stated = budget(name="Cards", dimensions={scope: "card"})
    assert mirror(stated)[0].verified
    assert scopes(tenant) == {("Cards", scope, "card")}
    assert mirror(stated)[1] == []
    more = replace(stated, amount=usd(70), name="More cards", dimensions={scope: "gold"})
    report, writes = mirror(more)
    assert (report.verified, writes) == (True, ["PUT"] * 3)
    assert scopes(tenant) == {("More cards", scope, "gold")}
    mirror.on_remove = OnRemove.DELETE
    mirror.source.drop("B")
    assert mirror()[0].verified
    assert tenant.rows() == []


def test_it_is_read_back_as_it_was_written(tenant):
    kaireon = tenant.connector(entities={"offer:card": "offer_premium_card"})
    model = budget(name="Cards", dimensions=OFFER)
    made = kaireon.create(Draft(model=model), "k")
    ((page,),) = ([*kaireon.list(Kind.BUDGET)],)
    assert page.items == [made]
    assert (made.model.dimensions, made.model.enforcement) == (OFFER, Enforcement.HARD)
    assert {row["scopeId"] for row in tenant.rows()} == {"offer_premium_card"}
    ((shares,),) = ([*kaireon.list(Kind.ALLOCATION)],)
    assert shares.items == []


def test_budgets_of_one_name_are_told_apart_by_their_dimension(mirror, tenant, tmp_path):
    cards, gold = (budget(of, name="Cards", dimensions={"offer": of}) for of in ("card", "gold"))
    assert mirror(cards, gold)[0].verified
    before = told(tenant)
    mirror.forget()
    report, writes = mirror(cards, gold)
    assert (report.verified, report.plan.adopted, writes) == (True, 2, [])
    assert told(tenant) == before


@pytest.mark.parametrize("first", [{}, OFFER], ids=["global", "scoped"])
@pytest.mark.parametrize("together", [True, False])
def test_one_name_is_not_both_global_and_scoped(mirror, tenant, first, together):
    one = budget("A", name="Cards", dimensions=first)
    other = budget("B", name="Cards", dimensions={} if first else OFFER)
    if not together:
        assert mirror(one)[0].verified
    report, _ = mirror(one, other)
    ops = {each.ref: each.op for each in report.plan.changes}
    assert ops == ({"A": Op.CREATE} if together else {}) | {"B": Op.BLOCKED}
    assert "allocation" in str(losses_of(report, "B"))
    assert len(scopes(tenant)) == 1
    assert mirror()[1] == []


def losses_of(report, ref):
    return [loss for each in report.plan.changes if each.ref == ref for loss in each.losses]


def test_a_connector_that_is_told_to_makes_no_mixture(tenant):
    kaireon = tenant.connector()
    kaireon.create(Draft(model=budget(name="Cards")), "k")
    with pytest.raises(Rejected, match="another budget under the name 'Cards'"):
        kaireon.create(Draft(model=budget(name="Cards", dimensions=OFFER)), "k")
    assert len(tenant.rows()) == 3


def test_an_allocation_below_one_of_them_is_blocked(mirror, tenant):
    stated = budget(name="Cards", dimensions=OFFER, allocations=(share("A"),))
    report, _ = mirror(stated)
    assert ("A", "blocked:budget") in losses(report)
    assert scopes(tenant) == {("Cards", "offer", "card")}


def test_a_budget_of_two_scopes_is_blocked(mirror, tenant):
    report, _ = mirror(budget(dimensions={"offer": "card", "channel": "email"}))
    assert ("B", "blocked:dimensions") in losses(report)
    assert tenant.rows() == []


def test_other_dimensions_are_dropped(mirror, tenant):
    report, _ = mirror(budget(dimensions={"offer": "card", "site": "Lyon"}))
    assert ("B", "dropped:dimensions") in losses(report)
    assert (report.verified, scopes(tenant)) == (True, {("Name B", "offer", "card")})


def test_allocations_whose_budget_somebody_deleted_are_below_it_again(mirror, tenant):
    stated = budget(allocations=(share("A"),))
    mirror(stated)
    before = told(tenant)
    for row in tenant.rows():
        if row["scope"] == "global":
            tenant.served.state["budgets"].remove(row["id"])
    mirror(stated)
    assert mirror(stated)[0].verified
    assert told(tenant) == before


@pytest.mark.parametrize(
    ("dimensions", "stated", "name"),
    [
        ({}, None, "emulated:enforcement"),
        ({}, Enforcement.HARD, "dropped:enforcement"),
        ({}, Enforcement.TRACK, None),
        ({"channel": "email"}, Enforcement.HARD, "dropped:enforcement"),
        (OFFER, Enforcement.HARD, None),
        (OFFER, None, None),
        (OFFER, Enforcement.TRACK, "dropped:enforcement"),
    ],
)
def test_a_plan_says_what_is_not_enforced(mirror, dimensions, stated, name):
    report, _ = mirror(budget(dimensions=dimensions, enforcement=stated))
    (change,) = report.plan.changes
    assert [loss.name for loss in change.losses if loss.field == "enforcement"] == [
        *filter(None, [name])
    ]
    assert report.verified


def test_of_allocations_only_an_offers_is_enforced(tenant):
    kaireon = tenant.connector()
    said = {}
    for entity in ("offer:card", "channel:email", "category:cards"):
        _, found = kaireon.fit(share("A", entity=entity))
        said[entity] = [(loss.field, loss.effect) for loss in found if loss.field == "enforcement"]
    silent = [("enforcement", Effect.EMULATED)]
    assert said == {"offer:card": [], "channel:email": silent, "category:cards": silent}

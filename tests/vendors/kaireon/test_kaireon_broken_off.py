"""Writes of several rows that break off, and listings that lag: no twin, and nothing is hidden."""

import pytest
from msgspec.structs import replace

from canonical.kind import Kind
from connectors.contract.errors import Rejected, Unauthorized, Uncertain
from connectors.contract.records import Draft
from tests.vendors.kaireon.stated import budget, day, share, told

FAULTS = ["lost_answer", "error_before", "error_after", "rate_limit", "unauthorized", "cut"]


@pytest.mark.parametrize("nth", [2, 3])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_half_made_budget_is_never_said_to_be_made_and_is_completed(mirror, tenant, fault, nth):
    stated = budget()
    tenant.served.faults.add(fault, method="POST", every=nth, times=9)
    report, _ = mirror(stated)
    whole = len(tenant.rows()) == 3
    outcomes = [done.outcome for done in report.operations]
    assert whole or outcomes != ["applied"]
    assert not report.verified or whole
    tenant.served.faults.clear()
    mirror(stated)
    report, _ = mirror(stated)
    assert report.verified
    assert [key for _, key, _ in told(tenant)] == ["2026-03", "2026-04", "2026-05"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_fails_after_the_first_effect_is_uncertain(tenant, method):
    kaireon, model = tenant.connector(), budget(name="Travel")
    id = None if method == "POST" else kaireon.create(Draft(model=model), "k").id
    tenant.served.faults.add("unauthorized", method=method, every=2)
    does = {
        "POST": lambda: kaireon.create(Draft(model=model), "k"),
        "PUT": lambda: kaireon.update(id, Draft(model=replace(model, name="Trips")), {"name"}, "k"),
        "DELETE": lambda: kaireon.delete(Kind.BUDGET, id, "k"),
    }
    with pytest.raises(Uncertain, match="one call had been done"):
        does[method]()


def test_what_fails_before_any_effect_is_what_it_was(tenant):
    tenant.served.faults.add("unauthorized", method="POST")
    with pytest.raises(Unauthorized):
        tenant.connector().create(Draft(model=budget()), "k")
    assert tenant.rows() == []


@pytest.mark.parametrize("lag", [1, 3])
def test_rows_that_are_not_listed_yet_are_not_made_again(open_tenant, lag):
    tenant = open_tenant(lag=lag)
    kaireon, draft = tenant.connector(), Draft(model=budget(name="Travel"))
    made = kaireon.create(draft, "k")
    with pytest.raises(Rejected, match="another budget"):
        kaireon.create(draft, "k")
    longer = Draft(model=replace(draft.model, end=day("2026-06-30")))
    kaireon.update(made.id, longer, {"end", "phases"}, "k")
    below = replace(share("A", of=made.id), cadence=longer.model.cadence, start=day("2026-03-01"))
    below = replace(below, end=day("2026-05-31"))
    assert kaireon.create(Draft(model=below, container=made.id), "k").container == made.id
    assert len(tenant.rows()) == 7


@pytest.mark.parametrize("lag", [1, 4])
def test_a_listing_waits_for_what_we_made(open_tenant, lag):
    tenant = open_tenant(lag=lag)
    kaireon = tenant.connector()
    made = kaireon.create(Draft(model=budget()), "k")
    ((page),) = kaireon.list(Kind.BUDGET)
    assert (page.items, bool(tenant.slept)) == ([made], True)


def test_what_is_not_listed_within_its_time_is_gone(open_tenant):
    tenant = open_tenant(lag=1000)
    kaireon = tenant.connector()
    kaireon.create(Draft(model=budget()), "k")
    ((page),) = kaireon.list(Kind.BUDGET)
    assert (page.items, sum(tenant.slept)) == ([], 60)


def test_what_is_gone_because_we_deleted_it_is_not_waited_for(tenant):
    kaireon = tenant.connector()
    made = kaireon.create(Draft(model=budget()), "k")
    kaireon.delete(Kind.BUDGET, made.id, "k")
    ((page),) = kaireon.list(Kind.BUDGET)
    assert (page.items, tenant.slept) == ([], [])

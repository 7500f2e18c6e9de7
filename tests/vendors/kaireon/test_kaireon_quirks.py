"""What the Kaireon connector survives, and how many calls it takes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Uncertain,
)
from connectors.contract.records import Draft
from connectors.kaireon.declared import KaireonSettings

KEY = "krn_canary_7f21"
EVERYTHING = {"name", "amount", "currency", "limits", "cadence", "start", "end", "phases"}
SWITCHES = [
    {"put_says": "success"},
    {"put_says": "nothing"},
    {"put_replaces": True},
    {"null_clears": False},
    {"unique": True},
    {"strict_keys": True},
    {"oldest_first": True},
    {"shape": "data"},
    {"shape": "nextCursor", "page_size": 2},
    {"shape": "cursor", "page_size": 2},
    {"delete_is_204": True},
    {"checks_tenant": True},
    {"zero": False},
    {"whole_money": True},
    {"wants_header": True},
]


def usd(number):
    return Amount.of(number, "USD")


def budget(name="Travel", *, months=3, amount=100, **said):
    said = {"start": date(2026, 3, 1), "end": date(2026, 2 + months, 28), **said}
    return Draft(
        model=Budget(ref="B", name=name, amount=usd(amount), cadence=Cadence.MONTHLY, **said)
    )


def share(container, entity="channel:email", amount=40, **said):
    said = {"start": date(2026, 3, 1), "end": date(2026, 5, 31), **said}
    model = Allocation(
        ref="A",
        budget=container,
        entity=Entity(*entity.split(":")),
        amount=usd(amount),
        cadence=Cadence.MONTHLY,
        **said,
    )
    return Draft(model=model, container=container)


def changed(draft, **said):
    return replace(draft, model=structs.replace(draft.model, **said))


def listed(connector, kind=Kind.BUDGET):
    (page,) = connector.list(kind)
    return page


def told(tenant, name="maxSpend"):
    """Period key → what the row says, in order."""
    return dict(sorted((row["periodKey"], row[name]) for row in tenant.rows()))


# Calls


def test_a_listing_is_one_call_whatever_there_is(tenant):
    kaireon = tenant.connector()
    id = kaireon.create(budget(), "k").id
    kaireon.create(share(id), "k")
    tenant.calls()
    assert (len(listed(kaireon).items), tenant.calls()) == (1, ["GET"])
    assert (len(listed(kaireon, Kind.ALLOCATION).items), tenant.calls()) == (1, ["GET"])


def test_a_create_is_a_look_and_a_call_per_period(tenant):
    tenant.connector().create(budget(), "k")
    assert tenant.calls() == ["GET", "POST", "POST", "POST"]


def test_allocations_that_are_made_together_share_one_look(tenant):
    kaireon = tenant.connector()
    id = kaireon.create(budget(), "k").id
    tenant.calls()
    drafts = [share(id, f"channel:{name}") for name in ("email", "sms")]
    made = kaireon.create_many(drafts, ["k1", "k2"])
    assert [each.model.entity.id for each in made] == ["email", "sms"]
    assert tenant.calls() == ["GET"] + 6 * ["POST"]


def test_two_that_are_for_one_entity_are_not_made_together(tenant):
    kaireon = tenant.connector()
    id = kaireon.create(budget(), "k").id
    first, twin = kaireon.create_many([share(id), share(id)], ["k1", "k2"])
    assert first.model.amount == usd(40)
    assert isinstance(twin, Rejected)
    assert len(listed(kaireon, Kind.ALLOCATION).items) == 1


def test_one_of_a_batch_that_broke_off_stops_no_other_and_is_completed(tenant):
    kaireon = tenant.connector()
    id = kaireon.create(budget(), "k").id
    drafts = [share(id, f"channel:{name}") for name in ("email", "sms")]
    tenant.served.faults.add("lost_answer", method="POST", every=2, times=1)
    broken, whole = kaireon.create_many(drafts, ["k1", "k2"])
    assert isinstance(broken, Uncertain)
    assert whole.model.end == date(2026, 5, 31)
    assert kaireon.create(drafts[0], "k").model.end == date(2026, 5, 31)
    assert len(tenant.rows()) == 9


def test_an_update_touches_only_the_rows_that_change(tenant):
    kaireon = tenant.connector()
    draft = budget()
    id = kaireon.create(draft, "k").id
    tenant.edit("2026-04", maxSpend=7)
    tenant.calls()
    kaireon.update(id, draft, {"phases"}, "k")
    assert (tenant.calls(), told(tenant)["2026-04"]) == (["GET", "PUT"], 100)


def test_a_check_is_one_call_for_one_month(tenant):
    kaireon = tenant.connector()
    assert kaireon.check().identity == "tenant acme"
    assert tenant.served.log[-1]["query"] == "periodKey=2026-03"
    assert tenant.calls() == ["GET"]


# Who we are there


def test_the_key_may_go_in_either_header(tenant):
    assert tenant.connector(auth="x-api-key").check().identity == "tenant acme"


def test_rows_of_another_tenant_stop_the_connector(tenant):
    tenant.connector().create(budget(), "k")
    stranger = tenant.connector(tenant_id="other")
    for call in (
        stranger.check,
        lambda: listed(stranger),
        lambda: stranger.create(budget("Other"), "k"),
    ):
        with pytest.raises(Forbidden, match="'acme', not 'other'"):
            call()


@pytest.mark.parametrize(
    ("key", "left", "said"),
    [(KEY, 0, "is deleted again"), ("krn_editor", 1, "could not be deleted")],
)
def test_the_first_row_made_for_another_tenant_is_taken_back(tenant, key, left, said):
    with pytest.raises(Forbidden, match=f"'acme', not 'other', where the row .*{said}"):
        tenant.connector(key, tenant_id="other").create(budget(), "k")
    assert len(tenant.rows()) == left


def test_an_empty_tenant_says_that_nothing_proves_it(tenant):
    kaireon = tenant.connector()
    assert [*map(bool, kaireon.check().notes)] == [True, True]
    kaireon.create(budget(), "k")
    (note,) = kaireon.check().notes
    assert "enforce nothing by themselves" in note


@pytest.mark.parametrize("wrong", [{"currency": "XXQ"}, {"currency": "impressions"}])
def test_the_currency_must_be_one(wrong):
    with pytest.raises(ValueError, match=wrong["currency"]):
        KaireonSettings(connector="kaireon", api_key="k", tenant_id="t", **wrong)


# Names and rows


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_every_reading_of_the_page_holds_the_same(open_tenant, switches):
    tenant = open_tenant(**switches)
    kaireon, draft = tenant.connector(), budget(limits=(Amount.of(9, "conversions"),))
    made = kaireon.create(draft, "k")
    kaireon.create(share(made.id), "k")
    more = changed(draft, name="Trips", amount=usd(120), end=date(2026, 6, 30))
    seen = kaireon.update(made.id, more, EVERYTHING, "k")
    whole = kaireon.fit(more.model)[0]
    assert (seen.id, seen.model) == (
        made.id,
        structs.replace(whole, ref=made.id, enforcement="track"),
    )
    assert kaireon.get(Kind.BUDGET, made.id) == seen
    (below,) = listed(kaireon, Kind.ALLOCATION).items
    assert (below.container, below.model.amount) == (made.id, usd(40))
    fewer = changed(more, end=date(2026, 4, 30))
    assert kaireon.update(made.id, fewer, {"end"}, "k").model.end == date(2026, 4, 30)
    with pytest.raises(Rejected, match="allocations stand below 'Trips'"):
        kaireon.delete(Kind.BUDGET, made.id, "k")
    kaireon.delete(Kind.ALLOCATION, below.id, "k")
    kaireon.delete(Kind.BUDGET, made.id, "k")
    assert listed(kaireon).items == []


def test_a_limit_of_nothing_may_be_refused(open_tenant):
    tenant = open_tenant(zero=False)
    with pytest.raises(Rejected, match="more than 0"):
        tenant.connector().create(budget(amount=0), "k")
    assert tenant.rows() == []


def test_a_fraction_that_was_not_kept_shows(open_tenant):
    made = open_tenant(whole_money=True).connector().create(budget(amount="10.50"), "k")
    assert made.model.amount == usd(10)


def test_a_rename_takes_the_allocations_along_and_keeps_all_ids(tenant):
    kaireon, draft = tenant.connector(), budget()
    made = kaireon.create(draft, "k")
    below = kaireon.create(share(made.id), "k")
    assert kaireon.update(made.id, changed(draft, name="Trips"), {"name"}, "k").id == made.id
    assert kaireon.get(Kind.ALLOCATION, below.id) == below
    assert {row["name"] for row in tenant.rows()} == {"Trips"}


@pytest.mark.parametrize("done", range(6))
def test_a_rename_that_broke_off_is_completed(open_tenant, done):
    clock = [0.0]
    tenant = open_tenant(rate_limit=f"{9 + done}/1h", monotonic=lambda: clock[0])
    kaireon, draft = tenant.connector(), budget()
    made = kaireon.create(draft, "k")
    kaireon.create(share(made.id), "k")
    wanted = changed(draft, name="Trips")
    with pytest.raises(Uncertain if done else RateLimited):
        kaireon.update(made.id, wanted, {"name"}, "k")
    assert sum(row["name"] == "Trips" for row in tenant.rows()) == done
    clock[0] = 4000.0
    (half,) = [item for item in listed(kaireon).items if item.id == made.id]
    assert half.model.name == "Travel"
    assert kaireon.update(made.id, wanted, {"name", "phases"}, "k").model.name == "Trips"
    assert [row["name"] for row in tenant.rows()] == ["Trips"] * 6


def test_a_rename_to_a_name_that_is_taken_is_refused(tenant):
    kaireon, draft = tenant.connector(), budget()
    id = kaireon.create(draft, "k").id
    kaireon.create(budget("Trips"), "k")
    with pytest.raises(Rejected, match="another budget under the name 'Trips'"):
        kaireon.update(id, changed(draft, name="Trips"), {"name"}, "k")
    assert sorted(row["name"] for row in tenant.rows()) == ["Travel"] * 3 + ["Trips"] * 3


def test_a_name_that_is_taken_is_no_new_budget(tenant):
    kaireon = tenant.connector()
    kaireon.create(budget(), "k")
    with pytest.raises(Rejected, match="another budget under the name 'Travel'"):
        kaireon.create(budget(), "k")
    assert len(tenant.rows()) == 3


def test_a_create_that_broke_off_is_found_and_completed(tenant):
    kaireon, draft = tenant.connector(), replace(budget(), stamp="B")
    tenant.served.faults.add("lost_answer", method="POST", every=2, times=1)
    with pytest.raises(Uncertain):
        kaireon.create(draft, "k")
    assert kaireon.probe([draft]) == {}
    (half,) = listed(kaireon).items
    assert half.model.end == date(2026, 4, 30)
    tenant.calls()
    assert kaireon.update(half.id, draft, {"end", "phases"}, "k").id == half.id
    assert tenant.calls() == ["GET", "POST"]
    assert [*told(tenant)] == ["2026-03", "2026-04", "2026-05"]


def test_a_create_that_is_sent_again_makes_only_what_misses(tenant):
    kaireon, draft = tenant.connector(), budget()
    tenant.served.faults.add("lost_answer", method="POST", every=2, times=1)
    with pytest.raises(Uncertain):
        kaireon.create(draft, "k")
    assert kaireon.create(draft, "k").model.end == date(2026, 5, 31)
    assert [*told(tenant)] == ["2026-03", "2026-04", "2026-05"]


def test_an_entity_goes_by_its_row_in_the_settings(tenant):
    kaireon = tenant.connector(entities={"channel:email": "ch_email"})
    id = kaireon.create(budget(), "k").id
    made = kaireon.create(share(id), "k")
    assert (made.model.entity, made.container) == (Entity("channel", "email"), id)
    assert {row["scopeId"] for row in tenant.rows()} == {None, "ch_email"}


def test_what_another_set_on_a_row_stays(tenant):
    kaireon, draft = tenant.connector(), budget()
    id = kaireon.create(draft, "k").id
    tenant.edit("2026-04", maxImpressions=5)
    kaireon.update(id, changed(draft, amount=usd(70)), {"amount"}, "k")
    assert told(tenant, "maxImpressions")["2026-04"] == 5
    assert {*told(tenant).values()} == {70}


def test_a_limit_that_is_not_wanted_any_more_goes(tenant):
    counts = Amount.of(9, "conversions"), Amount.of(50, "impressions")
    kaireon, draft = tenant.connector(), budget(limits=counts)
    id = kaireon.create(draft, "k").id
    kaireon.update(id, changed(draft, limits=counts[:1]), {"limits"}, "k")
    assert {*told(tenant, "maxImpressions").values()} == {None}
    assert {*told(tenant, "maxConversions").values()} == {9}


def test_an_amount_that_becomes_a_count_leaves_no_money(tenant):
    kaireon, draft = tenant.connector(), budget()
    id = kaireon.create(draft, "k").id
    count = changed(draft, amount=Amount.of(700, "impressions"))
    assert kaireon.update(id, count, {"amount", "currency"}, "k").model.amount == count.model.amount
    assert {*told(tenant).values()} == {None}


def test_limits_that_differ_between_periods_are_not_said(tenant):
    kaireon = tenant.connector()
    id = kaireon.create(budget(limits=(Amount.of(9, "conversions"),)), "k").id
    tenant.edit("2026-04", maxConversions=8)
    assert kaireon.get(Kind.BUDGET, id).model.limits == ()


# Periods


def test_a_passed_period_is_left_alone_while_the_source_states_it(tenant):
    kaireon, draft = tenant.connector(), budget()
    id = kaireon.create(draft, "k").id
    tenant.today = date(2026, 5, 2)
    assert kaireon.update(id, draft, {"phases"}, "k").model.amount == usd(100)
    assert [*told(tenant)] == ["2026-03", "2026-04", "2026-05"]


def test_an_end_that_comes_sooner_takes_the_later_rows(tenant):
    kaireon, draft = tenant.connector(), budget()
    id = kaireon.create(draft, "k").id
    tenant.calls()
    kaireon.update(id, changed(draft, end=date(2026, 3, 31)), {"end"}, "k")
    assert (tenant.calls(), [*told(tenant)]) == (["GET", "DELETE", "DELETE"], ["2026-03"])


def test_an_open_end_grows_with_the_calendar(tenant):
    kaireon, draft = tenant.connector(), budget(end=None)
    made = kaireon.create(draft, "k")
    assert made.model.end == date(2027, 3, 31)
    tenant.today = date(2026, 4, 1)
    tenant.calls()
    assert kaireon.update(made.id, draft, {"end"}, "k").model.end == date(2027, 4, 30)
    assert tenant.calls() == ["GET", "POST"]


def test_without_a_start_the_rows_there_are_are_ours(tenant):
    kaireon, draft = tenant.connector(), budget(start=None)
    id = kaireon.create(draft, "k").id
    tenant.today = date(2026, 4, 1)
    kaireon.update(id, changed(draft, amount=usd(70)), {"amount"}, "k")
    assert told(tenant) == {"2026-03": 70, "2026-04": 70, "2026-05": 70}


def test_months_that_become_quarters_hand_over_their_rows(tenant):
    kaireon, draft = tenant.connector(), budget(start=date(2026, 1, 1), end=date(2026, 6, 30))
    id = kaireon.create(draft, "k").id
    tenant.calls()
    wanted = changed(draft, cadence=Cadence.QUARTERLY, amount=usd(300))
    seen = kaireon.update(id, wanted, {"cadence", "amount", "phases"}, "k")
    assert (seen.id, seen.model.cadence) == (id, Cadence.QUARTERLY)
    assert tenant.calls() == ["GET", *["DELETE"] * 4, "PUT", "PUT"]
    assert told(tenant) == {"2026-Q1": 300, "2026-Q2": 300}


def test_a_year_is_held_as_quarters_where_the_settings_say_so(tenant):
    said = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}
    year = changed(budget(**said), cadence=Cadence.YEARLY, amount=usd("1000.01"))
    with pytest.raises(Rejected, match="no yearly budgets"):
        tenant.connector().create(year, "k")
    kaireon = tenant.connector(emulate=("yearly",))
    assert Cadence.YEARLY in kaireon.capabilities.cadences
    assert Cadence.ONCE not in kaireon.capabilities.cadences
    kaireon.create(year, "k")
    assert told(tenant) == {
        "2026-Q1": Decimal("250.01"), "2026-Q2": 250, "2026-Q3": 250, "2026-Q4": 250,
    }  # fmt: skip


# Rights


def test_an_editor_can_mirror_and_not_clean_up(tenant):
    kaireon, draft = tenant.connector("krn_editor"), budget()
    id = kaireon.create(draft, "k").id
    with pytest.raises(Forbidden, match="admin's key"):
        kaireon.delete(Kind.BUDGET, id, "k")
    fewer = changed(draft, end=date(2026, 3, 31), amount=usd(5))
    with pytest.raises(Rejected, match="admin's key"):
        kaireon.update(id, fewer, {"end", "amount"}, "k")
    assert told(tenant) == {"2026-03": 100, "2026-04": 100, "2026-05": 100}


def test_a_delete_that_broke_off_keeps_the_id_and_is_completed(open_tenant):
    clock = [0.0]
    tenant = open_tenant(rate_limit="6/1h", monotonic=lambda: clock[0])
    kaireon = tenant.connector()
    id = kaireon.create(budget(), "k").id
    with pytest.raises(Uncertain, match="one call had been done"):
        kaireon.delete(Kind.BUDGET, id, "k")
    assert (len(tenant.rows()), tenant.rows()[-1]["id"]) == (2, id)
    clock[0] = 4000.0
    kaireon.delete(Kind.BUDGET, id, "k")
    assert tenant.rows() == []


# Answers that cannot be trusted


def test_a_count_that_disagrees_is_malformed(open_tenant):
    tenant = open_tenant(most=2)
    kaireon = tenant.connector()
    kaireon.create(budget(months=2), "k")
    kaireon.create(budget("Trips", months=2), "k")
    with pytest.raises(Malformed, match="says that it lists 4 rows, and lists 2"):
        listed(kaireon)


def test_pages_that_never_end_are_malformed(open_tenant):
    tenant = open_tenant(shape="cursor", page_size=2)
    kaireon = tenant.connector()
    kaireon.create(budget(), "k")
    tenant.served.faults.add("repeat_cursor", times=-1)
    with pytest.raises(Malformed, match="repeats its page token"):
        listed(kaireon)


def test_pages_do_not_move_under_what_writes_at_the_same_time(open_tenant):
    kaireon = open_tenant(shape="cursor", page_size=2).connector()
    drafts = [budget(str(n), start=date(2026, 1, 1), end=date(2026, 6, 30)) for n in range(6)]
    ids = [kaireon.create(draft, "k").id for draft in drafts]
    quarterly = [changed(draft, cadence=Cadence.QUARTERLY) for draft in drafts]

    def update(id, draft):
        return kaireon.update(id, draft, {"cadence"}, "k").model.cadence

    with ThreadPoolExecutor(6) as pool:
        assert {*pool.map(update, ids, quarterly)} == {Cadence.QUARTERLY}
    assert len(listed(kaireon).items) == 6


def test_a_row_that_two_pages_show_is_one_row(open_tenant):
    tenant = open_tenant(shape="cursor", page_size=2)
    kaireon = tenant.connector()
    id = kaireon.create(budget(), "k").id
    tenant.served.faults.add("page_drift")
    page = listed(kaireon)
    assert ([item.id for item in page.items], page.problems) == ([id], [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"periodKey": "soon"},
        {"maxSpend": "much"},
        {"periodKey": "2026-04", "periodType": "monthly"},
    ],
)
def test_a_row_that_cannot_be_read_sets_its_object_aside(tenant, wrong):
    kaireon = tenant.connector()
    id = kaireon.create(budget(), "k").id
    kaireon.create(budget("Trips"), "k")
    tenant.edit(id, **wrong)
    page = listed(kaireon)
    assert [problem.ref for problem in page.problems] == [id]
    assert [item.model.name for item in page.items] == ["Trips"]
    with pytest.raises(Malformed):
        kaireon.update(id, budget(), {"amount"}, "k")


def test_an_allocation_without_its_budget_hangs_nowhere(tenant):
    kaireon = tenant.connector()
    id = kaireon.create(budget(), "k").id
    below = kaireon.create(share(id), "k").id
    for row in tenant.rows():
        if row["scope"] == "global":
            tenant.served.state["budgets"].remove(row["id"])
    left = kaireon.get(Kind.ALLOCATION, below)
    assert (left.container, left.model.budget) == (None, "")
    with pytest.raises(Missing):
        kaireon.create(share(id, "offer:x"), "k")

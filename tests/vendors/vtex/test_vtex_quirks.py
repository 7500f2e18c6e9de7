"""What the VTEX connector survives, over its sandbox, and how many calls it takes."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs
from pydantic import SecretStr, ValidationError

from canonical.allocation import Alert, Entity, Status
from canonical.amount import Amount
from canonical.facts import facts
from canonical.kind import Kind
from canonical.loss import Effect
from canonical.period import Cadence
from connectors.contract.errors import Forbidden, Missing, Rejected, Unauthorized, Uncertain
from connectors.contract.records import Draft
from connectors.memory.connector import Memory
from connectors.vtex.client import _login_url
from connectors.vtex.declared import VtexSettings
from connectors.vtex.movements import Movement
from sync.engine import Engine
from sync.report import Report
from sync.spec import Limits, SyncSpec
from sync.state.store import Store
from tests.vendors.vtex.vtex_desk import KEYS, USER, Desk, budget, listed, share, usd


class Remembered:
    """Remembers the versions of one listing."""

    def __init__(self, seen: dict[str, Any]) -> None:
        self._versions = {id: item.version for id, item in seen.items()}

    def unchanged(self, versions: Any) -> Any:
        return [id for id, version in versions.items() if self._versions.get(id) == version]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def desk(stack: ExitStack) -> Desk:
    return Desk(stack)


# How many calls


def test_a_whole_listing_takes_a_call_per_page_and_one_per_budget(desk):
    for name in ("a", "b", "c"):
        desk.share(desk.budget(name).id)
    desk.calls()
    assert len(listed(desk.vtex)) == len(listed(desk.vtex, Kind.ALLOCATION)) == 3
    assert len(desk.calls()) == 1 + 3


def test_what_is_known_takes_one_call_per_page(desk):
    a, b = desk.budget("a"), desk.budget("b")
    desk.share(b.id)
    known = Remembered(listed(desk.vtex))
    desk.vtex.update(a.id, Draft(model=budget("a", amount=usd(7))), {"amount"}, "k")
    desk.calls()
    (page,) = desk.vtex.list(Kind.BUDGET, known=known)
    (within,) = desk.vtex.list(Kind.ALLOCATION, known=known)
    assert ([item.id for item in page.items], page.unchanged) == ([a.id], [b.id])
    assert (within.items, within.unchanged_within) == ([], [b.id])
    assert len(desk.calls()) == 1 + 1


def test_on_a_new_day_all_is_read_again_as_a_renewal_may_be_due_to_stop(desk):
    made = desk.budget()
    known = Remembered(listed(desk.vtex))
    assert [*listed(desk.vtex, known=known)] == []
    desk.sleep(86_400)
    assert [*listed(desk.vtex, known=known)] == [made.id]


def test_allocations_are_read_anew_after_a_write(desk):
    made = desk.budget()
    listed(desk.vtex)
    desk.share(made.id)
    assert len(listed(desk.vtex, Kind.ALLOCATION)) == 1


def test_allocations_kept_for_one_memory_are_not_shown_to_another(desk):
    desk.share(desk.budget().id)
    listed(desk.vtex, known=Remembered(listed(desk.vtex)))
    assert len(listed(desk.vtex, Kind.ALLOCATION)) == 1


def test_spending_is_read_from_the_summaries_alone(desk):
    made = desk.budget()
    allocation = desk.share(made.id)
    spend(desk, allocation.id, 25)
    desk.calls()
    (actual,) = desk.vtex.actuals()
    assert (actual.ref, actual.spent, actual.remaining) == (made.id, usd(25), usd(975))
    assert desk.calls() == ["GET unit-first"]


def test_a_status_alone_is_one_write_and_with_more_it_is_two(desk):
    made = desk.budget()
    id = made.id
    desk.calls()
    off = Draft(model=budget(status=Status.INACTIVE, amount=usd(5)))
    assert desk.vtex.update(id, off, {"status"}, "k").model.status is Status.INACTIVE
    assert desk.calls() == [f"PUT {id}/status", f"GET {id}"]
    on = Draft(model=budget(amount=usd(5)))
    seen = desk.vtex.update(id, on, {"status", "amount"}, "k").model
    assert (seen.status, seen.amount) == (Status.ACTIVE, usd(5))
    assert desk.calls() == [f"GET {id}", f"PUT {id}", f"PUT {id}/status"]


def test_an_allocation_moves_to_another_entity_by_its_own_call(desk):
    made = desk.share(desk.budget().id)
    draft = share(made.container, "grace")
    desk.calls()
    seen = desk.vtex.update(made.id, draft, {"entity"}, "k")
    assert seen.model.entity.id == "grace"
    assert [call.partition(" ")[0] for call in desk.calls()] == ["PUT", "GET"]


def test_probing_reads_only_budgets_of_the_name(desk):
    for name in ("a", "b", "c"):
        desk.budget(name)
    wanted = Draft(model=budget("b"), stamp="ref-b")
    desk.calls()
    (found,) = desk.vtex.probe([wanted])[0]
    assert found.model.name == "b"
    assert desk.calls() == ["GET unit-first", f"GET {found.id}"]


# What is not documented


@pytest.mark.parametrize(
    "switch",
    [
        "created_is_201", "plain_types", "legacy_lists", "bare_budgets", "array_alerts",
        "put_clears", "hides_deleted", "gone_is_409", "adds_up", "capitals", "deletes_all",
    ],
)  # fmt: skip
def test_budgets_and_allocations_live_through_a_switch(stack, switch):
    desk = Desk(stack, **{switch: True})
    alerts = (Alert(Decimal(80), recipients=("ada@example.com",)),)
    made = desk.budget(alerts=alerts, cadence=Cadence.MONTHLY, start=desk.now.date())
    one, two = (desk.share(made.id, who, alerts=alerts) for who in ("ada", "grace"))
    desk.vtex.update(one.id, raised(made.id), {"amount"}, "k")
    for _ in range(2):
        desk.vtex.delete(Kind.ALLOCATION, two.id, "k")
    (seen,) = listed(desk.vtex).values()
    (left,) = listed(desk.vtex, Kind.ALLOCATION).values()
    assert (left.id, left.model.amount) == (one.id, usd(11))
    assert left.model.entity == Entity("user", "ada")
    assert left.model.alerts == seen.model.alerts == alerts
    assert facts(desk.vtex.get(Kind.BUDGET, made.id).model) == facts(seen.model)
    with pytest.raises(Missing):
        desk.vtex.get(Kind.ALLOCATION, two.id)


def raised(within: str) -> Draft:
    draft = share(within)
    return replace(draft, model=structs.replace(draft.model, amount=usd(11)))


@pytest.mark.parametrize("moves", [False, True])
def test_a_renewal_changes_nothing_that_is_compared(stack, moves):
    desk = Desk(stack, moves_cycles=moves)
    first = desk.now.date().replace(day=1)
    made = desk.budget(cadence=Cadence.MONTHLY, start=first, end=date(first.year + 2, 12, 31))
    for _ in range(3):
        desk.now = (desk.now.replace(day=1) + timedelta(days=32)).replace(day=2)
        renew(desk, made.id)
    assert facts(desk.vtex.get(Kind.BUDGET, made.id).model) == facts(made.model)


@pytest.mark.parametrize("moves", [False, True])
def test_a_run_in_the_last_period_stops_the_renewal(stack, moves):
    desk = Desk(stack, moves_cycles=moves)
    desk.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    start, end = date(2026, 1, 1), date(2026, 12, 31)
    made = desk.budget(cadence=Cadence.MONTHLY, start=start, end=end)
    desk.now = datetime(2026, 12, 2, 12, tzinfo=UTC)
    renew(desk, made.id)
    assert desk.vtex.get(Kind.BUDGET, made.id).model.end is None
    desk.vtex.update(made.id, Draft(model=made.model), {"end"}, "k")
    assert facts(desk.vtex.get(Kind.BUDGET, made.id).model) == facts(made.model)
    (row,) = desk.served.state["budgets"].rows()
    assert row["cycleConfiguration"]["autoResetOnPeriodEnd"] is False
    assert row["cycleConfiguration"]["endDate"] == "2027-01-01T00:00:00.0000000Z"


def test_an_end_that_vtex_does_not_let_go_is_seen(stack):
    desk = Desk(stack, keeps_end=True)
    made = desk.budget(start=date(2026, 1, 1), end=date(2026, 6, 30))
    endless = Draft(model=structs.replace(made.model, end=None))
    assert desk.vtex.update(made.id, endless, {"end"}, "k").model.end == date(2026, 6, 30)


def test_a_reference_of_a_persons_own_survives_an_update(desk):
    made = desk.share(desk.budget().id)
    table = desk.served.state["allocations"]
    (row,) = table.rows()
    table.put(row | {"referenceId": "contract-7", "contractId": "contract-7"})
    seen = desk.vtex.update(made.id, raised(made.container), {"amount"}, "k")
    (row,) = table.rows()
    assert (row["referenceId"], row["contractId"], seen.stamp) == ("contract-7", "contract-7", None)


def test_a_name_that_vtex_trims_is_no_change_and_is_found_again(stack):
    desk = Desk(stack, tidies=True)
    draft = Draft(model=budget(" Travel  "))
    made = desk.vtex.create(draft, "k")
    assert made.model.name == "Travel"
    assert facts(made.model)[0] == facts(draft.model)[0] == "Travel"
    assert [found.id for found in desk.vtex.probe([draft])[0]] == [made.id]


def test_two_allocations_of_one_entity_are_both_found_and_each_is_changed_by_itself(stack):
    desk = Desk(stack, twins=True)
    within = desk.budget().id
    one, two = (desk.vtex.create(share(within), "k") for _ in range(2))
    assert [item.id for item in desk.vtex.probe([share(within)])[0]] == [one.id, two.id]
    desk.vtex.update(one.id, raised(within), {"amount"}, "k")
    amounts = {id: item.model.amount for id, item in listed(desk.vtex, Kind.ALLOCATION).items()}
    assert amounts == {one.id: usd(11), two.id: usd(10)}


@pytest.mark.parametrize("bare", [False, True])
def test_pages_smaller_than_asked_for_are_all_read(stack, bare):
    desk = Desk(stack, largest_page=2, bare_budgets=bare)
    made = [desk.budget(name).id for name in "abc"]
    shares = {desk.share(made[0], who).id for who in "xyz"}
    assert listed(desk.vtex).keys() == {*made}
    assert listed(desk.vtex, Kind.ALLOCATION).keys() == shares


def test_a_budget_that_goes_while_it_is_listed_is_left_out(desk):
    a, b = desk.budget("a"), desk.budget("b")

    class Meanwhile:
        def unchanged(self, versions: Any) -> Any:
            desk.served.state["budgets"].remove(a.id.partition("/")[2])
            return ()

    assert [*listed(desk.vtex, known=Meanwhile())] == [b.id]


def test_a_budget_that_comes_twice_as_pages_drift_is_listed_once(desk):
    made = {desk.budget(name).id for name in "abc"}
    desk.served.faults.add("page_drift")
    vtex = desk.opened(page_size=2)
    ids = [item.id for page in vtex.list(Kind.BUDGET) for item in page.items]
    assert sorted(ids) == sorted(made)


def test_a_budget_with_bookings_cannot_be_deleted(desk):
    made = desk.budget()
    allocation = desk.share(made.id)
    spend(desk, allocation.id, 1)
    desk.vtex.delete(Kind.ALLOCATION, allocation.id, "k")
    with pytest.raises(Rejected, match="dependencies"):
        desk.vtex.delete(Kind.BUDGET, made.id, "k")


def test_a_deleted_allocation_makes_room_for_another_of_the_same_entity(desk):
    made = desk.budget()
    desk.vtex.delete(Kind.ALLOCATION, desk.share(made.id).id, "k")
    again = desk.share(made.id)
    assert [*listed(desk.vtex, Kind.ALLOCATION)] == [again.id]
    (found,) = desk.vtex.probe([share(made.id)])[0]
    assert found.id == again.id


def test_a_status_that_cannot_be_set_after_the_create_is_uncertain(desk):
    draft = Draft(model=budget(status=Status.INACTIVE), stamp="B")
    desk.served.faults.add("error_before", times=-1, method="PUT")
    with pytest.raises(Uncertain, match="it was made"):
        desk.vtex.create(draft, "k")
    assert len(desk.vtex.probe([draft])[0]) == 1


# Units


def test_budgets_of_several_units_are_listed_and_made_where_they_say(stack):
    desk = Desk(stack, units=("unit-first", "unit-second"))
    vtex = desk.opened(context_id=["unit-first", "unit-second"], page_size=1)
    for unit in ("unit-second", "unit-first", "unit-second"):
        model = budget(f"{unit} {len(listed(vtex))}", dimensions={"unit": unit})
        assert vtex.create(Draft(model=model), "k").id.startswith(unit)
    pages = [*vtex.list(Kind.BUDGET)]
    assert [page.cursor for page in pages] == [None, "unit-second/1", "unit-second/2"]
    ids = [item.id for page in pages for item in page.items]
    assert [item.id for page in vtex.list(Kind.BUDGET, "unit-second/2") for item in page.items] == (
        ids[2:]
    )


def test_several_units_and_none_named_is_an_objection(stack):
    desk = Desk(stack, units=("unit-first", "unit-second"))
    vtex = desk.opened(context_id=["unit-first", "unit-second"])
    (loss,) = vtex.objections(budget())
    assert (loss.field, loss.effect) == ("unit", Effect.BLOCKED)
    with pytest.raises(Rejected, match="2 units"):
        vtex.create(Draft(model=budget()), "k")
    assert not vtex.objections(budget(dimensions={"unit": "unit-second"}))


def test_units_can_be_discovered(stack):
    desk = Desk(stack, units=("one", "two", "three"))
    vtex = desk.opened(discover=True, page_size=2)
    assert vtex.check().identity == "3 units"
    assert desk.calls() == ["GET /api/organization-units/v1"] * 3 + ["GET one"]


def test_check_tries_every_unit_that_is_named(stack):
    desk = Desk(stack)
    with pytest.raises(Missing):
        desk.opened(context_id=["unit-first", "unit-misspelt"]).check()


def test_what_a_plan_loses_is_named_also_when_it_is_an_update(desk):
    alerts = (Alert(Decimal(50), recipients=("a",)), Alert(Decimal(90), recipients=("b",)))
    model = budget(
        amount=Amount.of(1, "EUR"),
        cadence=Cadence.MONTHLY,
        end=date(2026, 12, 31),
        dimensions={"department": "sales"},
        alerts=alerts,
    )
    held, losses = desk.vtex.fit(model, date(2027, 1, 1))
    names = [loss.name for loss in losses]
    assert names == ["blocked:currency", "emulated:alerts", "emulated:end", "dropped:dimensions"]
    assert held == structs.replace(model, dimensions={})
    assert not desk.vtex.fit(share("b").model, date(2027, 1, 1))[1]


@pytest.mark.parametrize("scale", ["major", "minor"])
def test_a_threshold_finer_than_the_currency_is_rounded_and_said(desk, scale):
    vtex = desk.opened(scale=scale)
    fine = budget(alerts=(Alert(Decimal("1.008"), percent=False), Alert(Decimal("80.5"))))
    held, losses = vtex.fit(fine, date(2027, 1, 1))
    assert [loss.name for loss in losses] == ["rounded:alerts"]
    assert held.alerts == (Alert(Decimal("1.01"), percent=False), Alert(Decimal("80.5")))
    assert vtex.fit(held, date(2027, 1, 1)) == (held, [])
    assert vtex.create(Draft(model=held), "k").model.alerts == held.alerts


def test_a_budget_that_moved_to_another_unit_is_rejected_in_every_run(stack, tmp_path):
    desk = Desk(stack, units=("unit-first", "unit-second"))
    vtex, erp = desk.opened(context_id=["unit-first", "unit-second"]), Memory("erp")
    store = Store.open("sqlite:///moves.db", tmp_path, lambda: desk.now)
    stack.callback(store.close)
    free = Limits(max_changes=None)
    spec = SyncSpec(name="moves", source="erp", target="vtex", parallel=1, limits=free)
    engine = Engine(spec, erp, vtex, store, now=lambda: desk.now)

    def run(unit: str) -> Report:
        erp.put(budget(dimensions={"unit": unit, "department": "sales"}))
        return engine.run(desk.now.date(), command="run")

    assert run("unit-first").verified
    for _ in range(2):
        (done,) = (report := run("unit-second")).operations
        assert (done.outcome, report.verified) == ("rejected", False)
        assert "cannot move a budget from unit 'unit-first' to 'unit-second'" in str(done.error)
    assert [id.partition("/")[0] for id in listed(vtex)] == ["unit-first"]
    report = run("unit-first")
    assert (report.operations, report.verified) == ([], True)


def test_the_only_unit_takes_a_budget_of_whatever_unit(desk):
    said = budget(dimensions={"unit": "somewhere else"})
    held, losses = desk.vtex.fit(said, date(2027, 1, 1))
    assert (held, losses) == (budget(), [])


# Credentials


def test_a_user_token_alone_is_enough(desk):
    assert desk.opened(**USER).check().identity == "unit unit-first"


def test_a_user_who_may_only_look_is_forbidden_to_write(desk):
    vtex = desk.opened(user_token=SecretStr("user_token_readonly"))
    assert listed(vtex) == {}
    with pytest.raises(Forbidden):
        vtex.create(Draft(model=budget()), "k")


def test_a_key_pair_is_exchanged_once_for_many_calls(stack):
    desk = Desk(stack, tokens_only=True)
    with pytest.raises(Unauthorized):
        desk.vtex.check()
    desk.calls()
    vtex = desk.opened(exchange=True)
    vtex.check()
    listed(vtex)
    assert desk.calls() == ["POST /api/vtexid/apptoken/login", "GET unit-first", "GET unit-first"]


def test_a_token_is_renewed_before_it_ends(stack):
    desk = Desk(stack, tokens_only=True)
    vtex = desk.opened(exchange=True)
    vtex.check()
    desk.sleep(86_400 - 300)
    desk.calls()
    vtex.check()
    assert desk.calls() == ["POST /api/vtexid/apptoken/login", "GET unit-first"]


def test_a_token_that_is_refused_is_renewed_once(stack):
    desk = Desk(stack, tokens_only=True)
    vtex = desk.opened(exchange=True)
    vtex.check()
    desk.served.state["tokens"].clear()
    desk.calls()
    made = vtex.create(Draft(model=budget()), "k")
    assert [*listed(vtex)] == [made.id]
    desk.served.faults.add("unauthorized", times=-1, path="/api/budgets")
    desk.calls()
    with pytest.raises(Unauthorized):
        vtex.check()
    assert len(desk.calls()) == 3


def test_a_pair_that_is_not_exchanged_is_unauthorized_and_not_told(stack):
    desk = Desk(stack)
    vtex = desk.opened(exchange=True, app_token=SecretStr("canary"))
    with pytest.raises(Unauthorized) as caught:
        vtex.check()
    assert "canary" not in f"{caught.value!r} {caught.value} {vars(vtex)}"
    assert "app_key" in str(caught.value)


def test_a_login_that_is_not_there_is_unauthorized(desk):
    vtex = desk.opened(exchange=True, login_url=f"{desk.served.url}/nowhere")
    with pytest.raises(Unauthorized, match="login_url"):
        vtex.check()


@pytest.mark.parametrize("login", ["refused", "wrapped", "tokenless"])
def test_a_login_that_gives_no_token_says_so_and_tells_no_secret(stack, login):
    desk = Desk(stack, token="canary", login=login)
    vtex = desk.opened(exchange=True, app_token=SecretStr("canary"))
    with pytest.raises(Unauthorized) as caught:
        vtex.check()
    assert "canary" not in f"{caught.value!r} {caught.value}"
    assert not [call for call in desk.calls() if "login" not in call]


def test_the_login_of_an_account_is_at_its_own_address():
    assert _login_url("https://acme.myvtex.com") == "https://acme.vtexcommercestable.com.br"
    assert _login_url("http://127.0.0.1:9") == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "said",
    [
        {"context_id": "u"},
        {"context_id": "u", **KEYS, **USER},
        {"context_id": "u", "exchange": True, **USER},
        {"context_id": "u", "discover": True, **USER},
        {**USER},
        {"context_id": "u", "currency": "dollars", **USER},
    ],
)
def test_settings_that_do_not_fit_together_are_refused(said):
    whole = {"connector": "vtex", "base_url": "https://acme.myvtex.com", "currency": "USD", **said}
    with pytest.raises(ValidationError):
        VtexSettings(**whole)


# What only VTEX has


def test_funding_finds_the_allocations_of_an_order(desk):
    made = desk.budget()
    allocation = desk.share(made.id, entity=Entity("cost_centre", "CC-1"))
    spend(desk, allocation.id, 4)
    (hit,) = desk.vtex.movements.funding([Entity("cost_centre", "CC-1"), Entity("user", "nobody")])
    assert (hit.allocation, hit.left, hit.left_of_budget) == (allocation.id, usd(6), usd(996))
    assert hit.entity == Entity("cost_centre", "CC-1")


def test_statements_and_reservations_are_read_page_by_page(desk):
    made = desk.budget()
    allocation = desk.share(made.id)
    for amount in (1, 2, 3):
        spend(desk, allocation.id, amount)
    vtex = desk.opened(page_size=2)
    for id in (made.id, allocation.id):
        lines: list[Movement] = [*vtex.movements.statements(id)]
        assert [(line.allocation, line.spent) for line in lines] == [
            (allocation.id, usd(n)) for n in (1, 2, 3)
        ]
    assert vtex.movements.transaction(allocation.id, lines[0].id) == lines[0]
    assert [*vtex.movements.reservations(allocation.id)] == []
    row = desk.served.state["movements"].rows()[0]
    desk.served.state["movements"].put(row | {"id": "held", "status": "RESERVED"})
    (held,) = vtex.movements.reservations(allocation.id, "RESERVED")
    assert (held.id, held.status, held.spent) == ("held", "RESERVED", usd(1))
    assert [*vtex.movements.reservations(allocation.id, "CANCELED")] == []


def test_a_cancelled_reservation_is_spelt_as_it_is_asked_for(desk):
    allocation = desk.share(desk.budget().id)
    spend(desk, allocation.id, 1)
    (row,) = desk.served.state["movements"].rows()
    desk.served.state["movements"].put(row | {"status": "CANCELLED"})
    (found,) = desk.vtex.movements.reservations(allocation.id, "CANCELED")
    assert found.status == "CANCELED"


def test_the_history_of_a_deleted_allocation_is_still_read(desk):
    allocation = desk.share(desk.budget().id)
    spend(desk, allocation.id, 4)
    desk.vtex.delete(Kind.ALLOCATION, allocation.id, "k")
    (line,) = desk.vtex.movements.statements(allocation.id)
    assert desk.vtex.movements.transaction(allocation.id, line.id).spent == usd(4)


def test_who_may_only_look_may_not_ask_what_funds_an_order(desk):
    vtex = desk.opened(user_token=SecretStr("user_token_readonly"))
    with pytest.raises(Forbidden):
        vtex.movements.funding([Entity("user", "ada")])


@pytest.mark.parametrize("switch", ["capitals", "plain_types"])
def test_funding_lives_through_a_switch(stack, switch):
    desk = Desk(stack, **{switch: True})
    allocation = desk.share(desk.budget().id)
    (hit,) = desk.vtex.movements.funding([Entity("user", "ada")])
    assert (hit.allocation, hit.entity) == (allocation.id, Entity("user", "ada"))


def spend(desk: Desk, allocation: str, amount: int) -> None:
    control(desk, "spend", {"allocation_id": allocation.rpartition("/")[2], "amount": amount})


def renew(desk: Desk, id: str) -> None:
    control(desk, "renew", {"budget_id": id.rpartition("/")[2]})


def control(desk: Desk, name: str, body: Any) -> None:
    desk.served.sandbox.controls()[name](body)

"""Whom each vendor has, and what a plan says before anything is written of those it has not."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Op
from connectors.bill.connector import Bill
from connectors.brex.connector import Brex
from connectors.conformance import waitless
from connectors.contract.errors import Forbidden, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Listed
from connectors.kaireon.connector import Kaireon
from connectors.memory.connector import Memory
from connectors.sandbox.bill.api import BillSandbox
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.kaireon.api import KaireonSandbox
from connectors.sandbox.server import Served, serve
from connectors.sandbox.vantage.api import WORKSPACE, VantageSandbox
from connectors.sandbox.vtex.api import VtexSandbox
from connectors.vantage.connector import Vantage
from connectors.vtex.connector import Vtex
from sync.engine import Engine
from sync.people import people
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

DAY = date(2026, 3, 18)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


@dataclass(frozen=True)
class Vendor:
    """How to reach one, whom of ours it knows by a row, and whom it does not know."""

    connector: Callable[..., Connector]
    sandbox: Callable[..., Any]
    keys: dict[str, Any]
    switches: dict[str, Any]
    stranger: str
    says: str
    path: str = ""
    listed: dict[str, list[Listed]] = field(default_factory=dict)


VENDORS = {
    "brex": Vendor(
        Brex,
        BrexSandbox,
        {"token": "bxt_sandbox", "parent_budget_id": "budget_root"},
        {"departments": {"d1": "IT", "d2": "Sales"}, "largest_page": 1},
        "department:Marketing",
        "brex has no department Marketing; give",
        listed={
            "department": [Listed("d1", "IT"), Listed("d2", "Sales")],
            "user": [
                Listed("cuuser_ada", None, "ada@example.com"),
                Listed("cuuser_grace", None, "grace@example.com"),
            ],
        },
    ),
    "bill": Vendor(
        Bill,
        BillSandbox,
        {"api_token": "bill_sandbox_token", "currency": "USD"},
        {},
        "user:linus@example.com",
        "bill has no user in use with the email linus@example.com",
        "",
    ),
    "vtex": Vendor(
        Vtex,
        VtexSandbox,
        {
            "app_key": "app_key_sandbox",
            "app_token": VtexSandbox.CREDENTIAL,
            "context_id": "unit-first",
            "currency": "USD",
        },
        {},
        "cost_centre:CC1",
        "checkout cannot match cost_centre:CC1",
    ),
    "vantage": Vendor(
        Vantage,
        VantageSandbox,
        {"token": "vntg_sandbox", "workspace_token": WORKSPACE, "currency": "USD"},
        {"titles": {"rprt_1": "AWS", "rprt_2": "Datadog"}, "largest_page": 1},
        "cost_report:rprt_9",
        "vantage shows no cost report rprt_9; give it a row",
        "/v2",
        {"account": [Listed("rprt_1", "AWS"), Listed("rprt_2", "Datadog")]},
    ),
    "kaireon": Vendor(
        Kaireon,
        KaireonSandbox,
        {"api_key": "krn_sandbox", "tenant_id": "acme", "currency": "USD"},
        {"offers": {"o1": "Premium card", "o2": "Loan"}, "page_size": 1},
        "offer:o9",
        "kaireon shows no offer o9; give it a row",
        "/api/v1",
        {"offer": [Listed("o1", "Premium card"), Listed("o2", "Loan")]},
    ),
}


@dataclass
class Reached:
    vendor: Vendor
    served: Served
    at: Connector


@pytest.fixture
def reach() -> Iterator[Callable[..., Reached]]:
    with ExitStack() as stack:

        def opened(name: str, rows: dict[str, str] | None = None, **switches: Any) -> Reached:
            vendor = VENDORS[name]
            said = vendor.switches | switches
            served = stack.enter_context(serve(vendor.sandbox(rate_limit="off", **said)))
            keys = {"connector": name, "base_url": served.url + vendor.path, **vendor.keys}
            keys |= {"rate_limit": "100000/1s", "entities": rows or {}}
            at = vendor.connector(name, vendor.connector.Settings(**keys), waitless())  # type: ignore[attr-defined]
            return Reached(vendor, served, stack.enter_context(at))

        yield opened


def source(*entities: str) -> Memory:
    erp, usd = Memory("erp"), Amount.of(10, "USD")
    shares = tuple(
        Allocation(ref=f"S{n}", budget="B", entity=Entity(*each.split(":", 1)), amount=usd)
        for n, each in enumerate(entities)
    )
    said = {"start": date(2026, 1, 1), "end": date(2026, 12, 31), "description": "B"}
    erp.put(Budget(ref="B", name="B", amount=Amount.of(100, "USD"), allocations=shares, **said))
    return erp


@pytest.mark.parametrize("name", VENDORS)
def test_a_plan_names_whom_the_vendor_does_not_know_before_anything_is_written(
    reach: Callable[..., Reached], name: str, tmp_path: Path
) -> None:
    reached = reach(name)
    store = Store.open("sqlite:///s.db", tmp_path, lambda: datetime(2026, 3, 18, tzinfo=UTC))
    spec = SyncSpec(name="s", source="erp", target=name, limits=OPEN)

    plan = Engine(spec, source(reached.vendor.stranger), reached.at, store).plan(DAY)

    (share,) = [each for each in plan.changes if each.ref == "S0"]
    said = [loss.reason for loss in share.losses if loss.field == "entity"]
    assert [each for each in said if each.startswith(reached.vendor.says)], said
    assert (share.op is Op.BLOCKED) is (name != "vtex")
    written = [call for call in reached.served.log if call["method"] != "GET"]
    assert not [call for call in written if not call["path"].endswith("/query")]
    store.close()


@pytest.mark.parametrize("name", VENDORS)
def test_whom_a_vendor_does_not_know_is_told_by_the_command_too(
    reach: Callable[..., Reached], name: str
) -> None:
    reached = reach(name)
    (unknown,) = people("s", source(reached.vendor.stranger), reached.at, {}).unknown
    assert str(unknown.entity) == reached.vendor.stranger
    assert unknown.reason.startswith(reached.vendor.says)


@pytest.mark.parametrize(
    ("name", "type"), [(name, type) for name in VENDORS for type in VENDORS[name].listed]
)
def test_a_directory_is_read_page_by_page(
    reach: Callable[..., Reached], name: str, type: str
) -> None:
    reached = reach(name)
    assert [*reached.at.directory(type)] == reached.vendor.listed[type]
    assert len([each for each in reached.served.log if each["method"] == "GET"]) == 2


def test_bill_lists_its_users_in_use_by_the_id_that_lasts(reach: Callable[..., Reached]) -> None:
    bill = reach("bill")
    table = bill.served.state["users"]
    ada, grace = table.rows()
    table.put(grace | {"retired": True})
    assert [*bill.at.directory("user")] == [Listed(ada["uuid"], "Ada Lovelace", "ada@example.com")]


def test_vtex_says_that_nobody_can_be_asked_for(reach: Callable[..., Reached]) -> None:
    with pytest.raises(Unsupported, match=r"vtex: the Budgets API has no list of users"):
        [*reach("vtex").at.directory("user")]


@pytest.mark.parametrize(
    ("name", "type", "says"),
    [
        ("brex", "account", "brex knows no account; it keeps one as text"),
        ("bill", "account", "bill gives shares to users only"),
        ("kaireon", "channel", "Kaireon documents no list of whom a channel of kaireon may be"),
    ],
)
def test_what_a_vendor_has_no_list_of_is_said_by_name(
    reach: Callable[..., Reached], name: str, type: str, says: str
) -> None:
    with pytest.raises(Unsupported, match=says):
        [*reach(name).at.directory(type)]


@pytest.mark.parametrize(
    ("name", "closed", "known"),
    [
        ("brex", {"departments": None}, "department:Marketing"),
        ("vantage", {"titles": {}}, "cost_report:rprt_9"),
        ("kaireon", {"offers": None}, "offer:o9"),
    ],
)
def test_where_a_credential_may_not_list_nobody_is_called_unknown(
    reach: Callable[..., Reached], name: str, closed: dict[str, Any], known: str
) -> None:
    reached, entity = reach(name, **closed), Entity(*known.split(":"))
    assert not reached.at.resolve([entity]).unknown
    with pytest.raises(Forbidden):
        [*reached.at.directory(entity.type)]


@pytest.mark.parametrize(
    ("name", "row", "says"),
    [
        ("brex", {"department:M": "d7"}, 'correct the row "department:M" in'),
        ("vantage", {"account:1": "rprt_7"}, 'correct the row "account:1" in'),
        ("kaireon", {"offer:mine": "o7"}, 'correct the row "offer:mine" in'),
    ],
)
def test_a_row_that_leads_to_nobody_is_said_to_be_wrong(
    reach: Callable[..., Reached], name: str, row: dict[str, str], says: str
) -> None:
    (ours,) = (Entity(*each.split(":")) for each in row)
    assert says in reach(name, row).at.resolve([ours]).unknown[ours]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("brex", {"department:M": "d2"}),
        ("vantage", {"account:1": "rprt_2"}),
        ("vantage", {"account:1": "fltr_sgmt_0a1b"}),
        ("kaireon", {"offer:mine": "o2"}),
    ],
)
def test_a_row_that_leads_to_somebody_is_taken(
    reach: Callable[..., Reached], name: str, row: dict[str, str]
) -> None:
    (ours,) = (Entity(*each.split(":")) for each in row)
    found = reach(name, row).at.resolve([ours])
    assert not found.unknown
    assert not found.doubtful


def test_vantage_asks_for_its_reports_once_in_a_reading(reach: Callable[..., Reached]) -> None:
    vantage = reach("vantage", largest_page=100)
    for id in ("rprt_1", "rprt_9"):
        vantage.at.resolve([Entity("cost_report", id)])
    paths = [each["path"] for each in vantage.served.log]
    assert paths.count("/v2/cost_reports") == 1

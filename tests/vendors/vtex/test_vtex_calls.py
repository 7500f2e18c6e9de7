"""What VTEX is sent for each operation, digit by digit, and what its documented errors become."""

from datetime import date
from decimal import Decimal

import pytest
from httpx import Response
from msgspec.structs import replace
from pydantic import SecretStr

from canonical.allocation import Alert, Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from connectors.contract.errors import (
    Forbidden,
    Missing,
    RateLimited,
    Rejected,
    Unauthorized,
)
from connectors.contract.interface import Draft
from connectors.vtex.connector import Vtex
from connectors.vtex.declared import VtexSettings
from tests.vendors.script import NOW, calls_of, example, one_day, reply

ACCOUNT = "https://acme.myvtex.com"
pytestmark = pytest.mark.respx(base_url=ACCOUNT, assert_all_called=True, assert_all_mocked=True)

BUDGET = example("vtex", "budget") | {"id": "b"}
SHARED = example("vtex", "allocation") | {"id": "a"}
BARE = {name: said for name, said in SHARED.items() if name != "notificationSettings"}
BATCH, NONE = example("vtex", "batch"), Response(200)
ALL = "/api/budgets/UNIT/unit"
ONE, SHARE = f"{ALL}/b", f"{ALL}/b/allocations/a"
VENDOR_TYPE = {"content-type": "application/vnd.vtex.list-budgets+json"}


def listing(*items):
    return {"pagination": {"current": 1, "pages": 1, "results": len(items)}, "items": [*items]}


def usd(number):
    return Amount.of(number, "USD")


TRAVEL = Budget(
    ref="CC1",
    name="Travel",
    description="All trips",
    amount=usd("12345678901234.50"),
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    end=date(2026, 12, 31),
    carry_over=True,
    alerts=(Alert(Decimal("99.5"), recipients=("ada@example.com",)),),
)
OFFSITE = Budget(ref="CC2", name="Offsite", amount=usd(7), start=date(2026, 3, 2))
CENTRE = Allocation(
    ref="a", budget="CC1", entity=Entity("cost_centre", "CC/1"), amount=usd("864.07")
)
SAID = """{
    "linkedEntity": {"id": "CC/1", "type": "CostCenter"}, "amount": 864.07,
    "referenceId": "contract-7", "contractId": "contract-7"
}"""  # of the allocation
OTHER = SAID.replace("CC/1", "CC/2")


def draft(model, **changed):
    container = "unit/b" if isinstance(model, Allocation) else None
    return Draft(model=replace(model, **changed), container=container, stamp=model.ref)


CALLS = {
    "check": (lambda vtex: vtex.check(), [(f"GET {ALL}?page=1&pageSize=1", listing())]),
    "list budgets and their allocations": (
        lambda vtex: [*vtex.list(Kind.BUDGET), *vtex.list(Kind.ALLOCATION)],
        [
            (f"GET {ALL}?page=1&pageSize=50", reply(200, listing(BUDGET), **VENDOR_TYPE)),
            (f"GET {ONE}", BUDGET),
        ],
    ),
    "get a budget": (
        lambda vtex: vtex.get(Kind.BUDGET, "unit/b ?"),
        [(f"GET {ALL}/b%20%3F", BUDGET)],
    ),
    "get an allocation": (
        lambda vtex: vtex.get(Kind.ALLOCATION, "unit/b/a"),
        [(f"GET {SHARE}", SHARED)],
    ),
    "create a budget": (
        lambda vtex: vtex.create(draft(TRAVEL), "key-1"),
        [
            (
                """POST /api/budgets/UNIT/unit
                {"name": "Travel",
                "description": "All trips [monthly from 2026-01-01 until 2026-12-31] [trueup:CC1]",
                "amount": 12345678901234.50,
                "cycleConfiguration": {"startDate": "2026-03-01T00:00:00.0000000Z",
                "endDate": "2026-04-01T00:00:00.0000000Z", "autoResetOnPeriodEnd": true,
                "carryOverBalance": true}, "notificationSettings": {"enable": true,
                "thresholds": [{"type": "PERCENT", "Value": 99.5}],
                "recipients": [{"type": "Email", "identifier": "ada@example.com"}]}}""",
                BUDGET,
            )
        ],
    ),
    "create a budget that is not active": (
        lambda vtex: vtex.create(draft(OFFSITE, status=Status.INACTIVE), "key-1"),
        [
            (
                """POST /api/budgets/UNIT/unit
                {"name": "Offsite", "description": "[trueup:CC2]", "amount": 7,
                "cycleConfiguration": {"startDate": "2026-03-02T00:00:00.0000000Z",
                "autoResetOnPeriodEnd": false, "carryOverBalance": false}}""",
                BUDGET,
            ),
            (f'PUT {ONE}/status {{"status": "INACTIVE"}}', {"status": "INACTIVE"}),
        ],
    ),
    "create an allocation": (
        lambda vtex: vtex.create(draft(CENTRE), "key-1"),
        [(f"POST {ONE}/allocations {SAID}", SHARED)],
    ),
    "create two allocations": (
        lambda vtex: vtex.create_many(
            [draft(CENTRE), draft(CENTRE, entity=Entity("cost_centre", "CC/2"))], ["1", "2"]
        ),
        [(f'POST {ONE}/allocations/batch {{"allocations": [{SAID}, {OTHER}]}}', BATCH)],
    ),
    "update a budget's amount": (
        lambda vtex: vtex.update("unit/b", draft(TRAVEL), {"amount"}, "key-1"),
        [
            (f"GET {ONE}", BUDGET),
            (
                """PUT /api/budgets/UNIT/unit/b
                {"name": "USER 1", "description": "USER 1", "amount": 12345678901234.50,
                "cycleConfiguration": {"startDate": "2025-01-01T00:00:00.0000000Z",
                "endDate": "2055-01-01T00:00:00.0000000Z", "autoResetOnPeriodEnd": true,
                "carryOverBalance": true}, "notificationSettings": {"enable": false,
                "thresholds": [{"type": "PERCENT", "Value": 99}],
                "recipients": [{"type": "Email", "identifier": "ada@example.com"}]}}""",
                BUDGET,
            ),
        ],
    ),
    "update a budget's status": (
        lambda vtex: vtex.update("unit/b", draft(TRAVEL), {"status"}, "key-1"),
        [
            (f'PUT {ONE}/status {{"status": "ACTIVE"}}', {"status": "ACTIVE"}),
            (f"GET {ONE}", BUDGET),
        ],
    ),
    "update an allocation's amount": (
        lambda vtex: vtex.update("unit/b/a", draft(CENTRE), {"amount"}, "key-1"),
        [
            (f"GET {SHARE}", SHARED),
            (
                """PUT /api/budgets/UNIT/unit/b/allocations/a
                {"linkedEntity": {"id": "d5c996af-455e-4b76-a36d-43376e96d82a",
                "type": "CostCenter"}, "amount": 864.07,
                "referenceId": "cd1e8e85-bc9e-479e-b2a5-8d916a33618f",
                "notificationSettings": {"enable": false, "thresholds": [{"type": "PERCENT",
                "Value": 99}], "recipients": [{"type": "Email",
                "identifier": "ada@example.com"}]}}""",
                SHARED,
            ),
        ],
    ),
    "give an allocation its contract": (
        lambda vtex: vtex.update("unit/b/a", draft(CENTRE), {"stamp"}, "key-1"),
        [
            (f"GET {SHARE}", BARE | {"referenceId": "[trueup:a]"}),
            (
                """PUT /api/budgets/UNIT/unit/b/allocations/a
                {"linkedEntity": {"id": "d5c996af-455e-4b76-a36d-43376e96d82a",
                "type": "CostCenter"}, "amount": 864,
                "referenceId": "contract-7", "contractId": "contract-7"}""",
                BARE,
            ),
        ],
    ),
    "update an allocation's entity": (
        lambda vtex: vtex.update("unit/b/a", draft(CENTRE), {"entity"}, "key-1"),
        [
            (
                f"""PUT {SHARE}/linked-entity
                {{"linkedEntityId": "CC/1", "linkedEntityType": "CostCenter"}}""",
                NONE,
            ),
            (f"GET {SHARE}", SHARED),
        ],
    ),
    "retire a budget": (
        lambda vtex: vtex.retire(Kind.BUDGET, "unit/b", "key-1"),
        [(f'PUT {ONE}/status {{"status": "INACTIVE"}}', {"status": "INACTIVE"})],
    ),
    "retire an allocation": (
        lambda vtex: vtex.retire(Kind.ALLOCATION, "unit/b/a", "key-1"),
        [(f'PUT {SHARE}/status {{"status": "INACTIVE"}}', {"status": "INACTIVE"})],
    ),
    "delete a budget": (
        lambda vtex: vtex.delete(Kind.BUDGET, "unit/b", "key-1"),
        [(f"DELETE {ONE}", NONE)],
    ),
    "delete an allocation": (
        lambda vtex: vtex.delete(Kind.ALLOCATION, "unit/b/a", "key-1"),
        [(f"DELETE {SHARE}", NONE)],
    ),
}
EACH = pytest.mark.parametrize(("does", "exchanges"), CALLS.values(), ids=CALLS)


@pytest.fixture
def opened(script):
    def opened(**settings):
        if "user_token" not in settings:
            settings |= {"app_key": SecretStr("key_canary"), "app_token": SecretStr("token_canary")}
        keys = {"base_url": ACCOUNT, "context_id": "unit", "currency": "USD"}
        keys |= {"contract_id": "contract-7", **settings}
        return Vtex("vtex", VtexSettings(connector="vtex", **keys), one_day())

    return opened


@pytest.fixture
def vtex(opened):
    with opened() as vtex:
        yield vtex


@EACH
def test_an_operation_sends_these_calls(vtex, script, does, exchanges):
    script.play(exchanges)
    does(vtex)
    assert script.sent == calls_of(exchanges)


@EACH
@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({}, {"X-VTEX-API-AppKey": "key_canary", "X-VTEX-API-AppToken": "token_canary"}),
        ({"user_token": SecretStr("user_canary")}, {"VtexIdclientAutCookie": "user_canary"}),
    ],
    ids=["key pair", "user token"],
)
def test_all_calls_carry_one_credential_and_no_key(opened, script, does, exchanges, settings, sent):
    script.play(exchanges)
    with opened(**settings) as vtex:
        does(vtex)
    for name in ("X-VTEX-API-AppKey", "X-VTEX-API-AppToken", "VtexIdclientAutCookie"):
        assert script.header(name) == {sent.get(name)}
    assert script.header("idempotency-key") == {None}


@pytest.mark.respx(assert_all_called=True, assert_all_mocked=True)
def test_a_key_pair_is_exchanged_at_the_accounts_own_address(opened, script, respx_mock):
    login = respx_mock.post(
        "https://acme.vtexcommercestable.com.br/api/vtexid/apptoken/login"
    ).respond(json={"authStatus": "Success", "token": "jwt", "expires": 1900000000})
    listed = respx_mock.get(f"{ACCOUNT}{ALL}").respond(json=listing())
    with opened(exchange=True) as vtex:
        vtex.check()
    sent = login.calls.last.request
    assert sent.content == b'{"appkey":"key_canary","apptoken":"token_canary"}'
    assert "canary" not in str(sent.headers.raw)
    assert listed.calls.last.request.headers["VtexIdclientAutCookie"] == "jwt"
    assert script.header("X-VTEX-API-AppKey") == {None}


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (
            400,
            {"error": "Validation error in request body."},
            Rejected,
            "Validation error in request body",
        ),
        (401, {"error": "Authentication required."}, Unauthorized, "Authentication required"),
        (403, None, Forbidden, "Forbidden"),
        (404, {"error": "Budget not found."}, Missing, "Budget not found"),
        (409, {"error": "Resource conflict."}, Rejected, "Resource conflict"),
        (400, {"code": "UserEmailNotFound", "message": "no such user"}, Rejected, "no such user"),
    ],
)
@pytest.mark.parametrize("change", [{"amount"}, {"status"}], ids=["read", "written"])
def test_a_refusal_is_told_in_vtexs_words_with_its_trace(
    vtex, script, change, status, body, error, said
):
    method, path = ("GET", ONE) if change == {"amount"} else ("PUT", f"{ONE}/status")
    trace = {"trace-id": "00-a-b-01"}
    script.play([(f"{method} {path}", Response(status, json=body, headers=trace))])
    with pytest.raises(error) as caught:
        vtex.update("unit/b", draft(TRAVEL), change, "key-1")
    assert (type(caught.value), caught.value.message) == (error, said)
    assert caught.value.call.request_id == "00-a-b-01"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Retry-After", "3600"),
        ("Ratelimit-Reset", "3600"),
        ("X-RateLimit-Reset", str(int(NOW.timestamp()) + 3600)),
    ],
)
def test_a_limited_call_waits_as_any_of_vtexs_headers_asks(vtex, script, header, value):
    script.play([(f"GET {ONE}", Response(429, headers={header: value}))])
    with pytest.raises(RateLimited) as caught:
        vtex.get(Kind.BUDGET, "unit/b")
    assert caught.value.after == 3600

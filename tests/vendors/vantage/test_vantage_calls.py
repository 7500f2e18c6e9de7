"""What Vantage is sent for each operation, digit by digit, and what its documented errors become."""

from datetime import date
from decimal import Decimal

import pytest
from httpx import Response
from msgspec.structs import replace
from pydantic import SecretStr

from canonical.allocation import Alert, Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Unauthorized,
)
from connectors.contract.interface import Draft
from connectors.vantage.connector import Vantage
from connectors.vantage.declared import VantageSettings
from tests.vendors.script import NOW, calls_of, example, one_day, reply

pytestmark = pytest.mark.respx(
    base_url="https://api.vantage.sh", assert_all_called=True, assert_all_mocked=True
)

WORKSPACE = "wrkspc_226ab053bd01bb2b"
LIST, FAMILY = example("vantage", "list_budgets"), example("vantage", "hierarchy")
(DATABASE,) = LIST["budgets"]
PLATFORM, PART, REST = FAMILY["budgets"]["budgets"]
(ALERT,) = FAMILY["budget_alerts"]["budget_alerts"]
ONE = f"/v2/budgets/{DATABASE['token']}"
SHORT = "include_performance=false"
ALL = f"page=1&limit=1000&workspace_token={WORKSPACE}"
LISTED = (f"GET /v2/budgets?{ALL}", LIST)
FAMILY_LISTED = [
    (f"GET /v2/budgets?{ALL}", FAMILY["budgets"]),
    (f"GET /v2/budget_alerts?{ALL}", FAMILY["budget_alerts"]),
]
ME = {
    "default_workspace_token": WORKSPACE,
    "workspaces": [{"token": WORKSPACE, "name": "Acme", "currency": "USD"}],
    "bearer_token": {"description": "Budgets", "created_at": "", "scope": ["read", "write"]},
}


def usd(number):
    return Amount.of(number, "USD")


BUDGET = Budget(
    ref="CC1",
    name="database",
    amount=usd(10000),
    cadence=Cadence.MONTHLY,
    start=date(2024, 7, 1),
    end=date(2024, 9, 30),
)
PHASED = replace(
    BUDGET,
    name="New",
    amount=usd("1234567.80"),
    phases=(
        Phase(Period(date(2026, 1, 1), date(2026, 2, 28)), usd("1234567.80")),
        Phase(Period(date(2026, 3, 1)), usd("0.05")),
    ),
    alerts=(Alert(Decimal(80), recipients=("cfo@example.com", "usr_1")),),
)
SHARE = Allocation(
    ref="a", budget="CC1", entity=Entity("account", "6300"), amount=usd("400.25"), alerts=None
)


def draft(model, container=None, **changed):
    return Draft(model=replace(model, **changed), container=container)


def made(token, **said):
    return reply(201, {**DATABASE, "token": token, **said})


def summer(amount):
    return [{"start_at": "2024-07-01", "end_at": "2024-09-30", "amount": amount}]


CALLS = {
    "check": (lambda vantage: vantage.check(), [("GET /v2/me", ME)]),
    "list budgets": (
        lambda vantage: [*vantage.list(Kind.BUDGET)],
        [
            (
                f"GET /v2/budgets?{ALL}",
                {
                    "links": {"next": "https://api.vantage.sh/v2/budgets?limit=1&page=2"},
                    "budgets": [],
                },
            ),
            (f"GET /v2/budgets?page=2&limit=1000&workspace_token={WORKSPACE}", LIST),
        ],
    ),
    "list allocations, of budgets with alerts": (
        lambda vantage: [*vantage.list(Kind.ALLOCATION)],
        FAMILY_LISTED,
    ),
    "get a budget": (
        lambda vantage: vantage.get(Kind.BUDGET, DATABASE["token"]),
        [(f"GET {ONE}?{SHORT}", DATABASE), LISTED],
    ),
    "create a budget with an alert": (
        lambda vantage: vantage.create(draft(PHASED), "key-1"),
        [
            (
                """POST /v2/budgets
                {"name": "New", "workspace_token": "wrkspc_226ab053bd01bb2b",
                "periods": [{"start_at": "2026-01-01", "end_at": "2026-02-28",
                "amount": 1234567.80}, {"start_at": "2026-03-01", "end_at": null,
                "amount": 0.05}]}""",
                made("bdgt_1"),
            ),
            (
                """POST /v2/budget_alerts
                {"budget_tokens": ["bdgt_1"], "threshold": 80, "duration_in_days": "",
                "user_tokens": ["usr_1"], "recipient_emails": ["cfo@example.com"]}""",
                reply(201, ALERT),
            ),
        ],
    ),
    "create an allocation": (
        lambda vantage: vantage.create(draft(SHARE, DATABASE["token"]), "key-1"),
        [
            LISTED,
            (
                """POST /v2/budgets
                {"name": "database / account:6300", "workspace_token": "wrkspc_226ab053bd01bb2b",
                "cost_report_token": "rprt_6300", "periods": [{"start_at": "2024-07-01",
                "end_at": "2024-09-30", "amount": 400.25}]}""",
                made("bdgt_1", name="database / account:6300", periods=summer("400.25")),
            ),
            (f"GET {ONE}?{SHORT}", DATABASE),
            (
                """POST /v2/budgets
                {"name": "database / (unallocated)",
                "workspace_token": "wrkspc_226ab053bd01bb2b",
                "periods": [{"start_at": "2024-07-01", "end_at": "2024-09-30",
                "amount": 9599.75}]}""",
                made("bdgt_2", name="database / (unallocated)", periods=summer("9599.75")),
            ),
            (f'PUT {ONE} {{"child_budget_tokens": ["bdgt_1", "bdgt_2"]}}', DATABASE),
        ],
    ),
    "update a budget's amount and end": (
        lambda vantage: vantage.update(
            DATABASE["token"],
            draft(BUDGET, amount=usd("12345678901.23"), end=None),
            {"amount", "end"},
            "key-1",
        ),
        [
            LISTED,
            (
                """PUT /v2/budgets/bdgt_0d825e79a0682cc2
                {"periods": [{"start_at": "2024-07-01", "end_at": null,
                "amount": 12345678901.23}]}""",
                DATABASE,
            ),
        ],
    ),
    "update a budget's name": (
        lambda vantage: vantage.update(
            DATABASE["token"], draft(BUDGET, name="Database"), {"name"}, "key-1"
        ),
        [LISTED, (f'PUT {ONE} {{"name": "Database"}}', DATABASE)],
    ),
    "update a budget's alerts": (
        lambda vantage: vantage.update(
            PLATFORM["token"],
            draft(BUDGET, alerts=(Alert(Decimal(90), recipients=("usr_1",)),)),
            {"alerts"},
            "key-1",
        ),
        [
            *FAMILY_LISTED,
            (
                """PUT /v2/budget_alerts/bdgt_alrt_0000000000000001
                {"threshold": 90, "user_tokens": ["usr_1"], "recipient_emails": []}""",
                ALERT,
            ),
        ],
    ),
    "update an allocation's amount": (
        lambda vantage: vantage.update(
            PART["token"],
            draft(SHARE, entity=Entity("account", "6200"), amount=usd("700.30")),
            {"amount"},
            "key-1",
        ),
        [
            *FAMILY_LISTED,
            (
                """PUT /v2/budgets/bdgt_0000000000000002
                {"periods": [{"start_at": "2026-01-01", "end_at": null, "amount": 700.30}]}""",
                PART | {"periods": [{"start_at": "2026-01-01", "end_at": "", "amount": "700.3"}]},
            ),
            (
                """PUT /v2/budgets/bdgt_0000000000000003
                {"periods": [{"start_at": "2026-01-01", "end_at": "2026-06-30",
                "amount": 299.70}, {"start_at": "2026-07-01", "end_at": null, "amount": 550.20}]}""",
                REST,
            ),
        ],
    ),
    "delete an allocation": (
        lambda vantage: vantage.delete(Kind.ALLOCATION, PART["token"], "key-1"),
        [
            *FAMILY_LISTED,
            ("DELETE /v2/budgets/bdgt_0000000000000002", Response(204)),
            (f"GET /v2/budgets/bdgt_0000000000000001?{SHORT}", PLATFORM),
            (
                """PUT /v2/budgets/bdgt_0000000000000001
                {"child_budget_tokens": ["bdgt_0000000000000003"]}""",
                PLATFORM | {"child_budget_tokens": ["bdgt_0000000000000003"]},
            ),
            (
                """PUT /v2/budgets/bdgt_0000000000000003
                {"periods": [{"start_at": "2026-01-01", "end_at": "2026-06-30",
                "amount": 1000.00}, {"start_at": "2026-07-01", "end_at": null,
                "amount": 1250.50}]}""",
                REST,
            ),
        ],
    ),
    "delete a budget": (
        lambda vantage: vantage.delete(Kind.BUDGET, DATABASE["token"], "key-1"),
        [LISTED, (f"GET {ONE}?{SHORT}", DATABASE), (f"DELETE {ONE}", Response(204))],
    ),
    "delete a budget that is gone": (
        lambda vantage: vantage.delete(Kind.BUDGET, DATABASE["token"], "key-1"),
        [
            LISTED,
            (f"GET {ONE}?{SHORT}", reply(404, {"errors": ["Resource not found"]})),
            (f"DELETE {ONE}", reply(404, {"errors": ["Resource not found"]})),
            (f"GET /v2/budgets?{ALL}", {"links": {}, "budgets": []}),
        ],
    ),
}
EACH = pytest.mark.parametrize(("does", "exchanges"), CALLS.values(), ids=CALLS)


@pytest.fixture
def vantage(script):
    settings = VantageSettings(
        connector="vantage",
        token=SecretStr("vntg_canary"),
        workspace_token=WORKSPACE,
        currency="USD",
        entities={"account:6200": "rprt_92062240b4ffda91", "account:6300": "rprt_6300"},
    )
    with Vantage("vantage", settings, one_day()) as vantage:
        yield vantage


@EACH
def test_an_operation_sends_these_calls(vantage, script, does, exchanges):
    script.play(exchanges)
    does(vantage)
    assert script.sent == calls_of(exchanges)


@EACH
def test_all_calls_carry_the_token_and_no_key(vantage, script, does, exchanges):
    script.play(exchanges)
    does(vantage)
    assert script.header("authorization") == {"Bearer vntg_canary"}
    assert script.header("idempotency-key") == {None}


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (
            400,
            {"errors": ["name is missing", "periods is invalid"]},
            Rejected,
            "name is missing; periods is invalid",
        ),
        (401, None, Unauthorized, "Unauthorized"),
        (403, {"errors": ["no access"]}, Forbidden, "no access"),
        (404, {"errors": ["Resource not found"], "links": {}}, Missing, "Resource not found"),
        (
            422,
            {"errors": ["Can't find a default Workspace"]},
            Rejected,
            "Can't find a default Workspace",
        ),
        (422, {"errors": "text"}, Rejected, "Unprocessable Entity"),
    ],
)
def test_the_errors_of_a_refusal_are_told(vantage, script, status, body, error, said):
    script.play([LISTED, (f"PUT {ONE}", Response(status, json=body))])
    with pytest.raises(error) as caught:
        vantage.update(DATABASE["token"], draft(BUDGET, name="x"), {"name"}, "key-1")
    assert (type(caught.value), caught.value.message) == (error, said)


def test_a_limited_call_waits_until_the_window_resets_in_unix_time(vantage, script):
    resets = {"x-rate-limit-reset": str(int(NOW.timestamp()) + 3600)}
    script.play([("GET /v2/me", Response(429, headers=resets))])
    with pytest.raises(RateLimited) as caught:
        vantage.check()
    assert caught.value.after == 3600


def test_the_page_size_is_ours_even_if_a_link_forgets_it(vantage, script):
    exchanges = [
        (f"GET /v2/budgets?{ALL}", {"links": {"next": "/v2/budgets?page=2"}, "budgets": []}),
        (f"GET /v2/budgets?{ALL.replace('page=1', 'page=2')}", LIST),
    ]
    script.play(exchanges)
    assert [len(page.items) for page in vantage.list(Kind.BUDGET)] == [0, 1]
    assert script.sent == calls_of(exchanges)


def test_a_link_to_another_host_is_not_followed(vantage, script):
    links = {"next": "https://evil.example/v2/budgets?page=2"}
    script.play([(f"GET /v2/budgets?{ALL}", {"links": links, "budgets": []})])
    with pytest.raises(Malformed, match="leads away"):
        [*vantage.list(Kind.BUDGET)]


def test_a_budget_that_may_not_be_deleted_for_another_reason_is_asked_for_once(vantage, script):
    looked = (f"GET {ONE}?{SHORT}", DATABASE)
    exchanges = [LISTED, looked, (f"DELETE {ONE}", reply(422, {"errors": ["is in use"]}))]
    script.play(exchanges)
    with pytest.raises(Rejected, match="is in use"):
        vantage.delete(Kind.BUDGET, DATABASE["token"], "key-1")
    assert script.sent == calls_of(exchanges)

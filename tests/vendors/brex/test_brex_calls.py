"""What Brex is sent for each operation, to the letter, and what its documented refusals become."""

from datetime import date

import pytest
from httpx import Response
from msgspec.structs import replace
from pydantic import SecretStr

from canonical.allocation import Allocation, Enforcement, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from connectors.brex.connector import Brex
from connectors.brex.declared import BrexSettings
from connectors.contract.errors import Forbidden, Malformed, Missing, Rejected, Unauthorized
from connectors.contract.interface import Draft
from tests.vendors.script import calls_of, example, one_day

pytestmark = pytest.mark.respx(
    base_url="https://api.brex.com", assert_all_called=True, assert_all_mocked=True
)

BUDGET, LIMIT, PAGE = (example("brex", name) for name in ("budget", "spend_limit", "budgets_page"))
TRAVEL = Budget(
    ref="CC1",
    name="Travel",
    description="All trips",
    amount=Amount.of("1020.50", "USD"),
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    end=date(2026, 12, 31),
    owners=("ada@example.com",),
)
SHARE = Allocation(
    ref="a",
    budget="CC1",
    entity=Entity("user", "ada@example.com"),
    amount=Amount.of("0.07", "USD"),
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    enforcement=Enforcement.SOFT,
    carry_over=True,
)
YEN = Budget(ref="b", name="B", amount=Amount.of(700, "JPY"))


def draft(model, **changed):
    return Draft(model=replace(model, **changed), container="budget_b", stamp=model.ref)


CALLS = {
    "check": (
        lambda brex: brex.check(),
        [("GET /v2/budgets?limit=1", PAGE), ("GET /v2/budgets/budget_a", BUDGET)],
    ),
    "list budgets": (
        lambda brex: [*brex.list(Kind.BUDGET)],
        [
            ("GET /v2/budgets?limit=1000", {"items": [], "next_cursor": "a/b="}),
            ("GET /v2/budgets?limit=1000&cursor=a%2Fb%3D", PAGE),
        ],
    ),
    "list spend limits": (
        lambda brex: [*brex.list(Kind.ALLOCATION, cursor="c")],
        [("GET /v2/spend_limits?limit=1000&cursor=c", {"items": [LIMIT]})],
    ),
    "get a budget": (
        lambda brex: brex.get(Kind.BUDGET, "budget/b ?"),
        [("GET /v2/budgets/budget%2Fb%20%3F", BUDGET)],
    ),
    "get a spend limit": (
        lambda brex: brex.get(Kind.ALLOCATION, "spend_limit_1"),
        [("GET /v2/spend_limits/spend_limit_1", LIMIT)],
    ),
    "create a budget": (
        lambda brex: brex.create(draft(TRAVEL), "key-1"),
        [
            (
                """POST /v2/budgets
                {"name": "Travel", "description": "All trips [trueup:CC1]",
                "parent_budget_id": "budget_b", "owner_user_ids": ["cuuser_1"],
                "period_recurrence_type": "MONTHLY", "start_date": "2026-01-01",
                "end_date": "2026-12-31", "amount": {"amount": 102050, "currency": "USD"}}""",
                BUDGET,
            )
        ],
    ),
    "create a budget without a parent of its own": (
        lambda brex: brex.create(Draft(model=YEN), "key-1"),
        [
            (
                """POST /v2/budgets
                {"name": "B", "description": "", "parent_budget_id": "budget_a",
                "period_recurrence_type": "ONE_TIME", "amount": {"amount": 700,
                "currency": "JPY"}}""",
                BUDGET,
            )
        ],
    ),
    "create a spend limit": (
        lambda brex: brex.create(draft(SHARE), "key-1"),
        [
            (
                """POST /v2/spend_limits
                {"name": "ada@example.com", "description": "[trueup:a]",
                "period_recurrence_type": "PER_MONTH", "start_date": "2026-01-01",
                "authorization_settings": {"base_limit": {"amount": 7, "currency": "USD"},
                "authorization_type": "SOFT", "rollover_refresh_rate": "NEVER"},
                "member_user_ids": ["cuuser_1"], "authorization_visibility": "PUBLIC",
                "expense_visibility": "SHARED", "limit_increase_setting": "DISABLED",
                "spend_type": "BUDGET_PROVISIONED_CARDS_ONLY",
                "auto_transfer_cards_setting": "DISABLED",
                "auto_create_limit_cards_setting": "DISABLED", "expense_policy_id": "policy_1",
                "parent_budget_id": "budget_b"}""",
                LIMIT,
            )
        ],
    ),
    "update a budget's amount": (
        lambda brex: brex.update(
            "budget_b", draft(TRAVEL, amount=Amount.of("1250.075", "KWD")), {"amount"}, "key-1"
        ),
        [('PUT /v2/budgets/budget_b {"amount":{"amount":1250075,"currency":"KWD"}}', BUDGET)],
    ),
    "update a spend limit's end": (
        lambda brex: brex.update("l", draft(SHARE, end=date(2026, 6, 30)), {"end"}, "key-1"),
        [('PUT /v2/spend_limits/l {"end_date":"2026-06-30"}', LIMIT)],
    ),
    "update a spend limit's entity": (
        lambda brex: brex.update(
            "l", draft(SHARE, entity=Entity("department", "ops")), {"entity"}, "key-1"
        ),
        [
            ("GET /v2/spend_limits/l", LIMIT),
            (
                """PUT /v2/spend_limits/l
                {"name": "ops", "description": "for department:ops [trueup:a]",
                "member_user_ids": [], "department_id": "dep_1"}""",
                LIMIT,
            ),
        ],
    ),
    "retire a budget": (
        lambda brex: brex.retire(Kind.BUDGET, "b/1", "key-1"),
        [("POST /v2/budgets/b%2F1/archive", Response(200))],
    ),
    "retire a spend limit that is archived already": (
        lambda brex: brex.retire(Kind.ALLOCATION, "l", "key-1"),
        [
            ("POST /v2/spend_limits/l/archive", Response(400, json={"message": "is archived"})),
            ("GET /v2/spend_limits/l", LIMIT | {"status": "ARCHIVED"}),
        ],
    ),
}
EACH = pytest.mark.parametrize(("does", "exchanges"), CALLS.values(), ids=CALLS)


@pytest.fixture
def brex(script):
    settings = BrexSettings(
        connector="brex",
        token=SecretStr("bxt_canary"),
        parent_budget_id="budget_a",
        expense_policy_id="policy_1",
        entities={"user:ada@example.com": "cuuser_1", "department:ops": "dep_1"},
    )
    with Brex("cards", settings, one_day()) as brex:
        yield brex


@EACH
def test_an_operation_sends_these_calls(brex, script, does, exchanges):
    script.play(exchanges)
    does(brex)
    assert script.sent == calls_of(exchanges)


@EACH
def test_all_calls_carry_the_token_and_creates_and_updates_the_key(brex, script, does, exchanges):
    script.play(exchanges)
    does(brex)
    assert script.header("authorization") == {"Bearer bxt_canary"}
    for sent in script.requests:
        keyed = sent.method in ("POST", "PUT") and not sent.url.path.endswith("/archive")
        assert sent.headers.get("idempotency-key") == ("key-1" if keyed else None)


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (400, {"type": "BAD_REQUEST", "message": "name is invalid"}, Rejected, "name is invalid"),
        (
            401,
            {"type": "UNAUTHORIZED", "message": "PERMISSION_DENIED: Invalid or Revoked Token"},
            Unauthorized,
            "PERMISSION_DENIED: Invalid or Revoked Token",
        ),
        (401, None, Unauthorized, "Unauthorized"),
        (
            403,
            {"type": "FORBIDDEN", "message": "Invalid or Revoked Token"},
            Forbidden,
            "Invalid or Revoked Token",
        ),
        (
            404,
            {"type": "NOT_FOUND", "message": "Not Found", "code": "USER_NOT_FOUND"},
            Missing,
            "Not Found",
        ),
    ],
)
@pytest.mark.parametrize(
    ("method", "does"),
    [
        ("GET", lambda brex: brex.get(Kind.BUDGET, "b")),
        ("PUT", lambda brex: brex.update("b", draft(TRAVEL), {"name"}, "key-1")),
    ],
    ids=["read", "write"],
)
def test_a_refusal_is_told_in_brexs_words_with_its_trace(
    brex, respx_mock, method, does, status, body, error, said
):
    trace = {"X-Brex-Trace-Id": "t-1"}
    route = respx_mock.request(method, "/v2/budgets/b").respond(status, json=body, headers=trace)
    with pytest.raises(error) as caught:
        does(brex)
    assert type(caught.value) is error
    assert (caught.value.message, caught.value.call.request_id) == (said, "t-1")
    assert route.call_count == 1


@pytest.mark.parametrize("answer", [None, [], {"items": None}, {"items": ["budget_root"]}])
def test_a_check_that_is_answered_with_no_page_is_malformed(brex, respx_mock, answer):
    respx_mock.get("/v2/budgets").respond(json=answer)
    with pytest.raises(Malformed):
        brex.check()

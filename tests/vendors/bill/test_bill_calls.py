"""What BILL is sent for each operation, digit by digit, and what its documented errors become."""

from dataclasses import replace
from datetime import date

import pytest
from httpx import Response
from msgspec import structs
from pydantic import SecretStr

from canonical.allocation import Allocation, Enforcement, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.bill.connector import Bill
from connectors.bill.declared import BillSettings
from connectors.contract.errors import Missing, RateLimited, Rejected, Unauthorized
from connectors.contract.interface import Draft
from tests.vendors.script import calls_of, example, one_day

pytestmark = pytest.mark.respx(
    base_url="https://gateway.prod.bill.com", assert_all_called=True, assert_all_mocked=True
)

USER, MEMBER, PAGE, ERRORS = (example("bill", n) for n in ("user", "member", "page", "errors"))
MARCH = {"startDate": "2026-03-01", "endDate": "2026-04-01", "limit": 100}
BUDGET = example("bill", "budget") | {"currentPeriod": MARCH}
OWNER = MEMBER | {"budgetRole": "OWNER"}
SPEND = "/connect/v3/spend"
ONE = f"{SPEND}/budgets/QnVkZ2V0OjE%3D"  # the budget of the guide
CLARK = f"{ONE}/members/VXNlcjo3"
NONE = Response(200)
LISTED = f"{SPEND}/budgets?max=100&sort=name%3Aasc&filters=retired%3Aeq%3A"


def usd(number):
    return Amount.of(number, "USD")


MUSIC = Budget(
    ref="CC1",
    name="Happy Music Supplies monthly spending budget",
    amount=usd(100),
    cadence=Cadence.MONTHLY,
    phases=(Phase(Period(date(2026, 4, 1)), usd(200)),),
)
WAGES = Budget(
    ref="CC2",
    name="Wages",
    description="Of the year",
    amount=usd("1234567.80"),
    cadence=Cadence.QUARTERLY,
    start=date(2026, 2, 1),
    end=date(2026, 12, 31),
    enforcement=Enforcement.SOFT,
    carry_over=True,
    owners=("ada@example.com", "clark@example.com"),
)
SHARE = Allocation(
    ref="a", budget="CC1", entity=Entity("user", "clark@example.com"), amount=usd("50.07")
)
OTHER = structs.replace(SHARE, ref="b", entity=Entity("user", "ada@example.com"), amount=usd(20))


def draft(model, **changed):
    container = BUDGET["id"] if isinstance(model, Allocation) else None
    return Draft(model=structs.replace(model, **changed), container=container, stamp=model.ref)


def member(limit, role="MEMBER", **user):
    """What is sent of a member."""
    known = "".join(f'"userId": "{id}", ' for id in user.values())
    return (
        f'{{{known}"limit": {limit}, "recurringLimit": {limit}, "role": "{role}", '
        '"shareBudgetFunds": false}'
    )


CALLS = {
    "check": (lambda bill: bill.check(), [(f"GET {SPEND}/users/current", USER)]),
    "list budgets": (
        lambda bill: [*bill.list(Kind.BUDGET)],
        [
            (f"GET {LISTED}false", PAGE | {"nextPage": "a/b="}),
            (f"GET {LISTED}false&nextPage=a%2Fb%3D", {"results": [], "nextPage": None}),
            (f"GET {LISTED}true", {"results": [], "nextPage": ""}),
        ],
    ),
    "list members": (
        lambda bill: [*bill.list(Kind.ALLOCATION)],
        [
            (f"GET {LISTED}false", {"results": [BUDGET]}),
            (f"GET {LISTED}true", {"results": []}),
            (f"GET {ONE}/members?max=100&sort=name%3Aasc", {"results": [MEMBER]}),
        ],
    ),
    "get a budget": (
        lambda bill: bill.get(Kind.BUDGET, BUDGET["id"]),
        [(f"GET {ONE}", BUDGET)],
    ),
    "get a member": (
        lambda bill: bill.get(Kind.ALLOCATION, f"{BUDGET['id']}/VXNlcjo3"),
        [(f"GET {CLARK}", MEMBER), (f"GET {ONE}", BUDGET)],
    ),
    "create a budget": (
        lambda bill: bill.create(draft(MUSIC), "key-1"),
        [
            (
                """POST /connect/v3/spend/budgets
                {"name": "Happy Music Supplies monthly spending budget",
                "description": "[trueup:CC1]", "owners": ["VXNlcjo3"],
                "recurringInterval": "MONTHLY", "expirationDate": null, "limit": 100,
                "recurringLimit": 200}""",
                BUDGET,
            )
        ],
    ),
    "create a budget below another": (
        lambda bill: bill.create(replace(draft(WAGES), container="QnVkZ2V0OjI="), "key-1"),
        [
            (
                """POST /connect/v3/spend/budgets
                {"name": "Wages", "description": "Of the year [trueup:CC2]",
                "owners": ["VXNlcjo4", "VXNlcjo3"], "parentBudgetId": "QnVkZ2V0OjI=",
                "recurringInterval": "QUARTERLY", "recurMonth": 2,
                "expirationDate": "2026-12-31", "limit": 1234567.80,
                "recurringLimit": 1234567.80, "carryOver": true, "limitlessOverspend": true}""",
                BUDGET,
            )
        ],
    ),
    "update a budget's amounts": (
        lambda bill: bill.update(
            BUDGET["id"], draft(MUSIC, amount=usd("100.50")), {"amount", "phases"}, "key-1"
        ),
        [
            (f"GET {ONE}", BUDGET),
            (f'PATCH {ONE} {{"limit": 100.50, "recurringLimit": 200}}', BUDGET),
        ],
    ),
    "update a budget's name and end": (
        lambda bill: bill.update(
            BUDGET["id"], draft(MUSIC, name="Music"), {"name", "end"}, "key-1"
        ),
        [(f'PATCH {ONE} {{"name": "Music", "expirationDate": null}}', BUDGET)],
    ),
    "create a member": (
        lambda bill: bill.create(draft(SHARE), "key-1"),
        [
            (f"GET {CLARK}", Response(404, json=[])),
            (f"PUT {CLARK} {member('50.07')}", MEMBER),
            (f"GET {ONE}", BUDGET),
        ],
    ),
    "create two members": (
        lambda bill: bill.create_many([draft(SHARE), draft(OTHER)], ["key-1", "key-2"]),
        [
            (f"GET {ONE}/members?max=100&sort=name%3Aasc", {"results": []}),
            (
                f"""PUT {ONE}/members/bulk {{"members": [
                    {member("50.07", user="VXNlcjo3")}, {member("20", user="VXNlcjo4")}
                ]}}""",
                NONE,
            ),
            (
                f"GET {ONE}/members?max=100&sort=name%3Aasc",
                {"results": [MEMBER, MEMBER | {"userId": "VXNlcjo4"}]},
            ),
            (f"GET {ONE}", BUDGET),
        ],
    ),
    "update a member": (
        lambda bill: bill.update(
            f"{BUDGET['id']}/VXNlcjo3", draft(SHARE, amount=usd(1234567)), {"amount"}, "key-1"
        ),
        [
            (f"GET {CLARK}", OWNER),
            (f"GET {ONE}", BUDGET),
            (f"PUT {CLARK} {member('1234567', 'OWNER')}", OWNER),
        ],
    ),
    "retire a budget": (
        lambda bill: bill.retire(Kind.BUDGET, BUDGET["id"], "key-1"),
        [(f"DELETE {ONE}", NONE)],
    ),
    "retire a member": (
        lambda bill: bill.retire(Kind.ALLOCATION, f"{BUDGET['id']}/VXNlcjo3", "key-1"),
        [(f"GET {CLARK}", MEMBER), (f"DELETE {CLARK}", NONE)],
    ),
    "retire the share of an owner": (
        lambda bill: bill.retire(Kind.ALLOCATION, f"{BUDGET['id']}/VXNlcjo3", "key-1"),
        [(f"GET {CLARK}", OWNER), (f"PUT {CLARK} {member('0', 'OWNER')}", OWNER)],
    ),
}
EACH = pytest.mark.parametrize(("does", "exchanges"), CALLS.values(), ids=CALLS)


@pytest.fixture
def bill(script):
    settings = BillSettings(
        connector="bill",
        api_token=SecretStr("bill_canary"),
        default_owner="clark@example.com",
        entities={"user:clark@example.com": "VXNlcjo3", "user:ada@example.com": "VXNlcjo4"},
    )
    with Bill("bill", settings, one_day()) as bill:
        yield bill


@EACH
def test_an_operation_sends_these_calls(bill, script, does, exchanges):
    script.play(exchanges)
    does(bill)
    assert script.sent == calls_of(exchanges)


@EACH
def test_all_calls_carry_the_api_token_and_no_other_credential_or_key(
    bill, script, does, exchanges
):
    script.play(exchanges)
    does(bill)
    assert script.header("apiToken") == {"bill_canary"}
    assert script.header("authorization") == script.header("idempotency-key") == {None}


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (
            400,
            [
                {"code": "BDC_1001", "message": "max: must be less than or equal to 100"},
                {"message": "name: must not be empty"},
            ],
            Rejected,
            "max: must be less than or equal to 100 (BDC_1001); name: must not be empty (no code)",
        ),
        (401, "Unauthorized", Unauthorized, "Unauthorized"),
        (
            401,
            [{"code": "BDC_1109", "message": "Session is invalid"}],
            Unauthorized,
            "Session is invalid (BDC_1109)",
        ),
        (404, [], Missing, "Not Found"),
        (
            429,
            ERRORS,
            RateLimited,
            "Max number of allowed requests per hour reached: 20000. (BDC_1144)",
        ),
    ],
)
@pytest.mark.parametrize(
    ("method", "does"),
    [
        ("GET", lambda bill: bill.get(Kind.BUDGET, BUDGET["id"])),
        ("PATCH", lambda bill: bill.update(BUDGET["id"], draft(MUSIC), {"name"}, "key-1")),
    ],
    ids=["read", "write"],
)
def test_each_failure_of_the_list_is_told_with_its_code(
    bill, respx_mock, method, does, status, body, error, said
):
    answer = {"text": body} if isinstance(body, str) else {"json": body}
    route = respx_mock.request(method, f"{SPEND}/budgets/QnVkZ2V0OjE=").respond(status, **answer)
    with pytest.raises(error) as caught:
        does(bill)
    assert (type(caught.value), caught.value.message) == (error, said)
    assert route.call_count == (6 if error is RateLimited else 1)

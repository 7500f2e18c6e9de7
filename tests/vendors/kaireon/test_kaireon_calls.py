"""What Kaireon is sent for each operation, digit by digit, and what its documented errors become."""

from datetime import date

import pytest
from httpx import Response
from msgspec.structs import replace
from pydantic import SecretStr

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.errors import Forbidden, RateLimited, Rejected, Transient, Unauthorized
from connectors.contract.interface import Draft
from connectors.kaireon.connector import Kaireon
from connectors.kaireon.declared import KaireonSettings
from tests.vendors.script import calls_of, example, one_day, reply

pytestmark = pytest.mark.respx(
    base_url="https://playground.kaireonai.com", assert_all_called=True, assert_all_mocked=True
)

LIST, DELETED = example("kaireon", "list"), example("kaireon", "deleted")
ROWS = "/api/v1/budgets"
(EMAIL,) = LIST["budgets"]
MARCH = EMAIL | {"id": "clx-march", "name": "Cards", "scope": "global", "scopeId": None}
OFFER = MARCH | {"id": "clx-offer", "scope": "offer", "scopeId": "premium card"}
APRIL = MARCH | {"id": "clx-april", "periodKey": "2026-04", "createdAt": "2026-03-02T00:00:00.000Z"}


def rows(*found):
    return {"budgets": [*found], "count": len(found)}


def usd(number):
    return Amount.of(number, "USD")


CARDS = Budget(
    ref="CC1",
    name="Cards",
    amount=usd(10000),
    limits=(Amount.of(50000, "impressions"),),
    cadence=Cadence.MONTHLY,
    start=date(2026, 3, 1),
    end=date(2026, 4, 30),
)
PHASES = tuple(
    Phase(Period(date(2026, month, 1), date(2026, month, day)), usd(amount))
    for month, day, amount in ((3, 31, 10000), (4, 30, "12.5"))
)
SHARE = Allocation(
    ref="a",
    budget="CC1",
    entity=Entity("offer", "premium card"),
    amount=usd("5000.07"),
    cadence=Cadence.MONTHLY,
    start=date(2026, 3, 1),
    end=date(2026, 3, 31),
)


def draft(model, **changed):
    container = "clx-march" if isinstance(model, Allocation) else None
    return Draft(model=replace(model, **changed), container=container)


CALLS = {
    "check": (
        lambda kaireon: kaireon.check(),
        [(f"GET {ROWS}?periodKey=2026-03", LIST)],
    ),
    "list budgets": (
        lambda kaireon: [*kaireon.list(Kind.BUDGET)],
        [(f"GET {ROWS}", rows(MARCH, APRIL))],
    ),
    "list allocations": (
        lambda kaireon: [*kaireon.list(Kind.ALLOCATION)],
        [(f"GET {ROWS}", LIST)],
    ),
    "list in the pages that other lists have": (
        lambda kaireon: [*kaireon.list(Kind.ALLOCATION)],
        [
            (
                f"GET {ROWS}",
                {"data": [MARCH], "pagination": {"cursor": "a/b=", "hasMore": True, "total": 2}},
            ),
            (
                f"GET {ROWS}?cursor=a%2Fb%3D",
                {"data": [EMAIL], "pagination": {"hasMore": False, "total": 2}},
            ),
        ],
    ),
    "get a budget": (
        lambda kaireon: kaireon.get(Kind.BUDGET, "clx-march"),
        [(f"GET {ROWS}", rows(MARCH, APRIL))],
    ),
    "get an allocation": (
        lambda kaireon: kaireon.get(Kind.ALLOCATION, EMAIL["id"]),
        [(f"GET {ROWS}", LIST)],
    ),
    "create a budget of two months": (
        lambda kaireon: kaireon.create(draft(CARDS, phases=PHASES), "key-1"),
        [
            (f"GET {ROWS}", rows()),
            (
                """POST /api/v1/budgets
                {"name": "Cards", "scope": "global", "periodType": "monthly",
                "periodKey": "2026-03", "maxSpend": 10000.00, "maxImpressions": 50000}""",
                reply(201, MARCH),
            ),
            (
                """POST /api/v1/budgets
                {"name": "Cards", "scope": "global", "periodType": "monthly",
                "periodKey": "2026-04", "maxSpend": 12.50, "maxImpressions": 50000}""",
                reply(201, APRIL),
            ),
        ],
    ),
    "create an allocation": (
        lambda kaireon: kaireon.create(draft(SHARE), "key-1"),
        [
            (f"GET {ROWS}", rows(MARCH)),
            (
                """POST /api/v1/budgets
                {"name": "Cards", "scope": "offer", "scopeId": "premium card",
                "periodType": "monthly", "periodKey": "2026-03", "maxSpend": 5000.07}""",
                reply(201, OFFER),
            ),
        ],
    ),
    "update a budget's amount": (
        lambda kaireon: kaireon.update(
            "clx-march", draft(CARDS, amount=usd("9999.99")), {"amount"}, "key-1"
        ),
        [
            (f"GET {ROWS}", rows(MARCH, APRIL)),
            (
                """PUT /api/v1/budgets
                {"id": "clx-april", "name": "Cards", "scope": "global", "periodType": "monthly",
                "periodKey": "2026-04", "maxSpend": 9999.99, "maxImpressions": 50000}""",
                APRIL,
            ),
            (
                """PUT /api/v1/budgets
                {"id": "clx-march", "name": "Cards", "scope": "global", "periodType": "monthly",
                "periodKey": "2026-03", "maxSpend": 9999.99, "maxImpressions": 50000}""",
                MARCH,
            ),
        ],
    ),
    "update a budget's name": (
        lambda kaireon: kaireon.update(
            "clx-march", draft(CARDS, name="Cards 2", end=date(2026, 3, 31)), {"name"}, "key-1"
        ),
        [
            (f"GET {ROWS}", rows(MARCH, EMAIL | {"name": "Cards"})),
            (
                """PUT /api/v1/budgets
                {"id": "clx0000000000000000000001", "name": "Cards 2", "scope": "channel",
                "scopeId": "ch_email", "periodType": "monthly", "periodKey": "2026-03",
                "maxSpend": 10000.00, "maxImpressions": 50000}""",
                EMAIL | {"name": "Cards 2"},
            ),
            (
                """PUT /api/v1/budgets
                {"id": "clx-march", "name": "Cards 2", "scope": "global",
                "periodType": "monthly", "periodKey": "2026-03", "maxSpend": 10000.00,
                "maxImpressions": 50000}""",
                MARCH | {"name": "Cards 2"},
            ),
        ],
    ),
    "delete a budget": (
        lambda kaireon: kaireon.delete(Kind.BUDGET, "clx-march", "key-1"),
        [
            (f"GET {ROWS}", rows(MARCH, APRIL)),
            (f"DELETE {ROWS}?id=clx-april", DELETED),
            (f"DELETE {ROWS}?id=clx-march", Response(204)),
        ],
    ),
    "delete an allocation whose row is gone": (
        lambda kaireon: kaireon.delete(Kind.ALLOCATION, EMAIL["id"], "key-1"),
        [
            (f"GET {ROWS}", LIST),
            (f"DELETE {ROWS}?id={EMAIL['id']}", Response(404)),
            (f"GET {ROWS}", rows(MARCH, APRIL)),
        ],
    ),
}
EACH = pytest.mark.parametrize(("does", "exchanges"), CALLS.values(), ids=CALLS)
KEY = "krn_canary"


@pytest.fixture
def opened(script):
    def opened(**settings):
        keys = {"api_key": SecretStr(KEY), "tenant_id": "my-tenant", "currency": "USD"}
        settings = KaireonSettings(connector="kaireon", **keys, **settings)
        return Kaireon("kaireon", settings, one_day())

    return opened


@pytest.fixture
def kaireon(opened):
    with opened() as kaireon:
        yield kaireon


@EACH
def test_an_operation_sends_these_calls(kaireon, script, does, exchanges):
    script.play(exchanges)
    does(kaireon)
    assert script.sent == calls_of(exchanges)


@EACH
@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("bearer", "authorization", f"Bearer {KEY}"), ("x-api-key", "x-api-key", KEY)],
)
def test_all_calls_carry_key_tenant_and_x_requested_with(
    opened, script, does, exchanges, auth, header, value
):
    script.play(exchanges)
    with opened(auth=auth) as kaireon:
        does(kaireon)
    assert script.header(header) == {value}
    assert script.header("X-Tenant-Id") == {"my-tenant"}
    assert script.header("X-Requested-With") == {"XMLHttpRequest"}
    assert script.header("idempotency-key") == {None}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "BAD_REQUEST", Rejected),
        (401, "UNAUTHORIZED", Unauthorized),
        (403, "FORBIDDEN", Forbidden),
        (404, "NOT_FOUND", Transient),
        (415, "UNSUPPORTED_MEDIA_TYPE", Rejected),
        (429, "RATE_LIMITED", RateLimited),
    ],
)
def test_an_error_is_told_in_kaireons_words(kaireon, respx_mock, status, code, error):
    said = {"error": {"code": code, "message": "customerId is required", "status": status}}
    route = respx_mock.get(ROWS).respond(status, json=said)
    with pytest.raises(error) as caught:
        kaireon.get(Kind.BUDGET, "clx-march")
    assert (type(caught.value), caught.value.message) == (error, "customerId is required")
    assert route.call_count == (6 if error is RateLimited else 1)


def test_after_a_row_that_is_refused_no_other_is_made(kaireon, script):
    refused = {"error": {"code": "BAD_REQUEST", "message": "is there", "status": 400}}
    script.play([(f"GET {ROWS}", rows()), (f"POST {ROWS}", reply(400, refused))])
    with pytest.raises(Rejected, match="is there"):
        kaireon.create(draft(CARDS), "key-1")
    assert len(script.sent) == 2

"""What nobody would send: sandboxes refuse it in the vendor's words, and store none of it.

Requests that are taken are spoilt, one to three places at a time. Where a vendor's description is
at hand it judges what was taken; everywhere else every row that is stored must be one that the
vendor's connector can read.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from canonical.kind import Kind
from connectors.contract.registry import load as connector
from connectors.contract.runtime import Runtime
from connectors.sandbox.__main__ import load
from connectors.sandbox.api import Call, Refused, Sandbox
from connectors.sandbox.server import serve
from tests.contract.judge import Exchange, Judge, description
from tests.examples import examples

Request = tuple[str, str, Any]
UNIT = "/api/budgets/UNIT/unit-first"
ONE = {"limit": 5, "recurringLimit": 5, "role": "MEMBER", "shareBudgetFunds": False}


@dataclass(frozen=True)
class Vendor:
    """How a sandbox is called, what it takes, and how its connector is set up.

    `{id}` in a later request is the id that the first one was answered with.
    """

    headers: dict[str, str]
    requests: tuple[Request, ...]
    settings: dict[str, Any]
    id: str = "id"
    base: str = ""
    switches: Mapping[str, Any] = field(default_factory=dict)
    """Those without which the vendor is known to take more than can be read, or to answer what its
    own description forbids."""


BREX_BUDGET = {
    "name": "Travel", "description": "Trips", "parent_budget_id": "budget_root",
    "owner_user_ids": ["cuuser_ada"], "period_recurrence_type": "MONTHLY",
    "amount": {"amount": 700, "currency": "USD"}, "start_date": "2026-01-01",
    "end_date": "2026-12-31",
}  # fmt: skip
BREX_LIMIT = {
    "name": "Ada", "parent_budget_id": "{id}", "period_recurrence_type": "PER_MONTH",
    "authorization_settings": {
        "base_limit": {"amount": 5, "currency": "USD"}, "authorization_type": "HARD",
        "rollover_refresh_rate": "OFF", "limit_buffer_percentage": 5,
    },
    "authorization_visibility": "PUBLIC", "expense_visibility": "SHARED",
    "limit_increase_setting": "ENABLED", "spend_type": "BUDGET_PROVISIONED_CARDS_ONLY",
    "auto_transfer_cards_setting": "DISABLED", "auto_create_limit_cards_setting": "DISABLED",
    "expense_policy_id": "policy_default", "member_user_ids": ["cuuser_grace"],
}  # fmt: skip
BILL_BUDGET = {
    "name": "Travel", "owners": ["VXNlcjox"], "recurringInterval": "MONTHLY", "limit": 100,
    "recurringLimit": 200, "budgetGroup": True, "description": "Trips", "overspendBuffer": 5,
    "timezone": "US/Pacific", "expirationDate": "2030-01-31", "carryOver": True,
}  # fmt: skip
PATCH = ("name", "limit", "recurringLimit", "description", "recurringInterval", "expirationDate")
VTEX_BUDGET = {
    "name": "Travel", "description": "Trips", "amount": 1000,
    "cycleConfiguration": {
        "startDate": "2026-01-01T00:00:00.0000000Z", "endDate": "2026-02-01T00:00:00.0000000Z",
        "autoResetOnPeriodEnd": True, "carryOverBalance": False,
    },
    "notificationSettings": {
        "enable": True, "thresholds": [{"type": "PERCENT", "Value": 80}],
        "recipients": [{"type": "Email", "identifier": "ada@example.com"}],
    },
}  # fmt: skip
VTEX_SHARE = {"linkedEntity": {"id": "ada", "type": "User"}, "amount": 1, "referenceId": "r"}
BOB = {"id": "bob", "type": "User"}
MARCH = {"start_at": "2026-03-01", "end_at": "2026-04-30", "amount": 300}
ALERT = {"budget_tokens": ["{id}"], "threshold": 80, "duration_in_days": "10",
         "user_tokens": [], "period_to_track": "start_of_the_month"}  # fmt: skip
CAP = {"name": "March", "scope": "offer", "scopeId": "o1", "periodType": "monthly",
       "periodKey": "2026-03", "maxSpend": 5000}  # fmt: skip
VENDORS = {
    "brex": Vendor(
        headers={"Authorization": "Bearer bxt_sandbox"},
        requests=(
            ("POST", "/v2/budgets", BREX_BUDGET),
            ("POST", "/v2/spend_limits", BREX_LIMIT),
            ("PUT", "/v2/budgets/{id}", {"name": "B", "amount": BREX_BUDGET["amount"]}),
            ("GET", "/v2/budgets?limit=10&cursor=x", None),
            ("GET", "/v2/users?email=a&limit=5", None),
        ),
        settings={"token": "bxt_sandbox"},
        id="budget_id",
    ),
    "bill": Vendor(
        headers={"apiToken": "bill_sandbox_token"},
        requests=(
            ("POST", "/v3/spend/budgets", BILL_BUDGET),
            ("PATCH", "/v3/spend/budgets/{id}", {name: BILL_BUDGET[name] for name in PATCH}),
            ("PUT", "/v3/spend/budgets/{id}/members/VXNlcjoy", ONE),
            (
                "PUT",
                "/v3/spend/budgets/{id}/members/bulk",
                {"members": [{"userId": "VXNlcjoy", **ONE}]},
            ),
            (
                "POST",
                "/v3/spend/users",
                {"firstName": "M", "lastName": "S", "email": "m@x.com", "role": "MEMBER"},
            ),
            ("GET", "/v3/spend/budgets?max=5&sort=name:asc&filters=retired:eq:true", None),
            ("GET", "/v3/spend/budgets?nextPage=x", None),
        ),
        settings={"api_token": "bill_sandbox_token"},
    ),
    "vtex": Vendor(
        headers={
            "X-VTEX-API-AppKey": "app_key_sandbox",
            "X-VTEX-API-AppToken": "app_token_sandbox",
        },
        requests=(
            ("POST", UNIT, VTEX_BUDGET),
            ("PUT", UNIT + "/{id}", VTEX_BUDGET),
            ("PUT", UNIT + "/{id}/status", {"status": "ACTIVE"}),
            ("POST", UNIT + "/{id}/allocations", VTEX_SHARE | {"linkedEntity": BOB}),
            ("POST", UNIT + "/{id}/allocations/batch", {"allocations": [VTEX_SHARE]}),
            ("POST", UNIT + "/allocations/query", {"items": [BOB]}),
            ("GET", UNIT + "?page=1&pageSize=5", None),
            ("GET", UNIT + "/{id}/statements?page=1&pageSize=5", None),
            ("POST", "/api/vtexid/apptoken/login", {"appkey": "app_key_sandbox", "apptoken": "x"}),
        ),
        settings={
            "app_key": "app_key_sandbox",
            "app_token": "app_token_sandbox",
            "context_id": "unit-first",
            "currency": "USD",
        },
    ),
    "vantage": Vendor(
        headers={"Authorization": "Bearer vntg_sandbox"},
        requests=(
            ("POST", "/v2/budgets", {"name": "Data", "periods": [MARCH]}),
            ("PUT", "/v2/budgets/{id}", {"name": "Data", "periods": [MARCH]}),
            ("POST", "/v2/budgets", {"name": "Above", "child_budget_tokens": ["{id}"]}),
            ("POST", "/v2/budget_alerts", ALERT),
            ("GET", "/v2/budgets?page=1&limit=5", None),
        ),
        settings={"token": "vntg_sandbox", "workspace_token": "wrkspc_sandbox", "currency": "USD"},
        id="token",
        base="/v2",
        switches={"open_end": "empty"},
    ),
    "kaireon": Vendor(
        headers={"X-API-Key": "krn_sandbox"},
        requests=(
            ("POST", "/api/v1/budgets", CAP),
            ("PUT", "/api/v1/budgets", {"id": "{id}", "name": "M", "maxSpend": 7}),
            ("GET", "/api/v1/budgets?periodKey=2026-03&scope=offer", None),
        ),
        settings={"api_key": "krn_sandbox", "tenant_id": "acme", "currency": "USD"},
        switches={"strict_keys": True},
    ),
}

ODD = st.sampled_from(
    [None, True, False, 0, -1, 1.5, 1e400, 2**63, 10**30, "", " ", "ten", "٣", "\u0000", "\ud800",
     "2026-02-30", "0000-01-01", "9999-12-31", "NaN", "Infinity", "-1", "1e999", "é" * 300, "{id}",
     [], [[]], [None], [1], ["ten"], {}, {"": 0}, {"id": None}, [{}], [{"": 1}]]
)  # fmt: skip
QUERIES = st.sampled_from(["", "x", "0", "-1", "٣", "1e9", "9" * 5000, "bnVsbA==", "WzFd", "a:b:c",
                           "Og==", "MTox", ":", "\u0000", "é"])  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there is something in a body, itself first."""
    yield at
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(each, (*at, key))


def spoilt(data: st.DataObject, body: Any) -> Any:
    """The body with something else at one to three places, or with a key more or less."""
    body = copy.deepcopy(body)
    for _ in range(data.draw(st.integers(1, 3), "how often")):
        *above, last = (None, *data.draw(st.sampled_from(list(places(body))), "where"))
        held = body
        for key in above[1:]:
            held = held[key]
        what = copy.deepcopy(data.draw(ODD, "what"))
        if not above:
            body = what
        elif isinstance(held, dict) and data.draw(st.booleans(), "key"):
            more = data.draw(st.sampled_from(["", "id", "token", "status", "retired"]), "name")
            held[more] = what
        else:
            held[last] = what
    return body


def _without_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [each if each is None else _without_nulls(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(each) for name, each in value.items() if each is not None}


class Caller:
    """A sandbox in this process, called as a server would call it; a fault of it is raised."""

    def __init__(self, name: str) -> None:
        self.vendor = VENDORS[name]
        self.sandbox: Sandbox = load(name)(rate_limit="off", **self.vendor.switches)
        self.kept: list[tuple[str, Any]] = []
        document = description(name)
        self.judge = Judge(document, self.vendor.base) if document else None
        self._keys = 0
        self.again()

    def again(self) -> None:
        """A fresh account, in which the first request has been made."""
        self.sandbox.reset()
        method, path, body = self.vendor.requests[0]
        made = self.send(method, path, json.dumps(body).encode())
        assert made.status_code < 300, made.body
        self.id = str(json.loads(made.body)[self.vendor.id])

    def send(self, method: str, path: str, content: bytes) -> Response:
        self._keys += 1
        said = {**self.vendor.headers, "Content-Type": "application/json", "Host": "x"}
        headers = Headers({**said, "Idempotency-Key": str(self._keys)})
        bare, _, query = path.partition("?")
        try:
            return self.sandbox.answer(Call(method, bare, QueryParams(query), headers, content))
        except Refused as refused:
            return refused.answer

    def keep(self) -> None:
        """Remember what is stored, to read all of it in the end."""
        for table in self.sandbox.ID_FIELDS:
            self.kept += [(table, row) for row in self.sandbox.state[table].rows()]

    def filled(self, body: Any) -> bytes:
        return json.dumps(body).replace("{id}", self.id).encode()

    def judged(self, method: str, path: str, sent: bytes, answer: Response) -> None:
        """Nothing is taken that the description forbids."""
        if self.judge is None or answer.status_code >= 300 or method == "GET":
            return
        body = json.loads(answer.body) if answer.body else None
        headers = {**self.vendor.headers, "Accept": "", "Content-Type": "", "Idempotency-Key": "k"}
        said = _without_nulls(json.loads(sent))  # null is taken as not said
        exchange = Exchange(method, path, "", headers, said, answer.status_code, body)
        assert list(self.judge.findings(exchange)) == []

    def read(self) -> None:
        """The connector reads everything that was ever stored."""
        for number, (table, row) in enumerate(self.kept):
            id = self.sandbox.ID_FIELDS[table]
            self.sandbox.state[table].put({**row, id: f"{row[id]}{number}"})
        name = type(self.sandbox).__name__.removesuffix("Sandbox").lower()
        cls: Any = connector(name)
        secret = {"token", "api_token", "app_token", "app_key", "api_key"}
        keys = {
            key: SecretStr(said) if key in secret else said
            for key, said in self.vendor.settings.items()
        }
        with ExitStack() as stack:
            served = stack.enter_context(serve(self.sandbox))
            said = {"connector": name, "base_url": served.url + self.vendor.base, **keys}
            said |= {"rate_limit": "1000000/1s"}
            opened = stack.enter_context(cls(name, cls.Settings(**said), Runtime()))
            for kind in Kind:
                problems = [each.message for page in opened.list(kind) for each in page.problems]
                # what each example stored is read together here, and may be there twice
                assert [each for each in problems if "has two rows" not in each] == []


OFTEN = settings(
    deadline=None,
    suppress_health_check=[*HealthCheck],
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)
EACH = pytest.mark.parametrize("name", VENDORS)


@EACH
def test_every_request_is_taken_as_it_is_or_refused_in_the_vendors_words(name: str) -> None:
    caller = Caller(name)
    for method, path, body in caller.vendor.requests:
        answer = caller.send(method, path.replace("{id}", caller.id), caller.filled(body))
        wrong = "login" in path or "=x" in path
        assert wrong or answer.status_code < 300, (path, answer.body)


@EACH
def test_what_is_spoilt_breaks_no_sandbox_and_is_not_stored(name: str) -> None:
    caller = Caller(name)
    writes = [each for each in caller.vendor.requests if each[2] is not None]

    @settings(OFTEN, max_examples=examples(80))
    @given(st.data())
    def spoil(data: st.DataObject) -> None:
        caller.again()
        method, path, body = data.draw(st.sampled_from(writes), "request")
        path, sent = path.replace("{id}", caller.id), caller.filled(spoilt(data, body))
        answer = caller.send(method, path, sent)
        assert answer.status_code < 500, answer.body
        caller.judged(method, path, sent, answer)
        caller.keep()

    spoil()
    caller.read()


@EACH
def test_odd_queries_paths_and_bodies_break_no_sandbox(name: str) -> None:
    caller = Caller(name)

    @settings(OFTEN, max_examples=examples(40))
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        method, path, _ = data.draw(st.sampled_from(caller.vendor.requests), "request")
        bare, _, query = path.replace("{id}", caller.id).partition("?")
        names = [each.partition("=")[0] for each in query.split("&") if each]
        said = {each: data.draw(QUERIES, each) for each in names}
        more = data.draw(st.sampled_from(["", "/", "//", "/x", "/é", "/x/y/z"]), "path")
        body = data.draw(st.sampled_from([b"", b"{", b"\xff", b"[1", b"NaN", b"[" * 2000]), "body")
        answer = caller.send(method, f"{bare}{more}?{urlencode(said)}", body)
        assert answer.status_code < 500, answer.body

    ask()


@pytest.mark.parametrize(
    ("name", "spoiling"),
    [
        ("brex", {"": 1, "amount": "ten"}),
        ("vtex", {"": 1, "amount": "ten"}),
        ("kaireon", {"": 1, "maxSpend": "ten"}),
        ("vantage", {"": 1, "periods": "ten"}),
    ],
)
def test_a_key_without_a_name_switches_off_no_check(name: str, spoiling: dict[str, Any]) -> None:
    caller = Caller(name)
    method, path, body = caller.vendor.requests[0]
    assert (
        caller.send(method, path, caller.filled({**spoiling, **body} | spoiling)).status_code == 400
    )


@pytest.mark.parametrize("days", ["ten", "-1", "1.5", "٣", "9" * 5000, 10])
def test_an_alerts_days_are_a_number_written_as_text(days: object) -> None:
    caller = Caller("vantage")
    sent = caller.filled(ALERT | {"duration_in_days": days})
    assert caller.send("POST", "/v2/budget_alerts", sent).status_code == 400


@pytest.mark.parametrize("money", [10**30, "٣", "NaN", "-1", "1e3", True])
def test_money_at_bill_is_a_number_of_some_size_or_its_digits(money: object) -> None:
    caller = Caller("bill")
    for method, path, body in caller.vendor.requests[:2]:
        sent = caller.filled(body | {"limit": money})
        assert caller.send(method, path.replace("{id}", caller.id), sent).status_code == 400


@pytest.mark.parametrize("token", ["bnVsbA==", "WzFd", "x", "WyJhIiwge31d", "Wy0xLCB7fV0="])
def test_a_page_token_of_bill_is_one_that_it_gave(token: str) -> None:
    answer = Caller("bill").send("GET", f"/v3/spend/budgets?nextPage={token}", b"")
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["name", "scope", "periodType", "periodKey"])
def test_what_a_row_of_kaireon_must_have_is_not_taken_from_it(name: str) -> None:
    caller = Caller("kaireon")
    sent = caller.filled({"id": "{id}", name: None})
    assert caller.send("PUT", "/api/v1/budgets", sent).status_code == 400

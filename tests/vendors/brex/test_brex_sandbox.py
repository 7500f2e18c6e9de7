"""The Brex sandbox over real HTTP: each rule that Brex documents, each switch, each fault."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.brex.api import ROOT, BrexSandbox
from connectors.sandbox.faults import Rule
from connectors.sandbox.server import Served, serve

BUDGET = {
    "name": "Travel",
    "description": "All trips",
    "parent_budget_id": ROOT,
    "period_recurrence_type": "MONTHLY",
    "amount": {"amount": 1_250_000, "currency": "EUR"},
}
LIMIT = {
    "name": "Ada's trips",
    "parent_budget_id": ROOT,
    "period_recurrence_type": "PER_MONTH",
    "authorization_settings": {
        "base_limit": {"amount": 50_000, "currency": "USD"},
        "authorization_type": "HARD",
        "rollover_refresh_rate": "OFF",
    },
    "authorization_visibility": "PUBLIC",
    "expense_visibility": "SHARED",
    "limit_increase_setting": "ENABLED",
    "spend_type": "BUDGET_PROVISIONED_CARDS_ONLY",
    "auto_transfer_cards_setting": "DISABLED",
    "auto_create_limit_cards_setting": "DISABLED",
    "expense_policy_id": "policy_default",
}
BUDGET_FIELDS = {
    "budget_id", "account_id", "name", "description", "parent_budget_id", "owner_user_ids",
    "period_recurrence_type", "start_date", "end_date", "amount", "spend_budget_status",
    "limit_type",
}  # fmt: skip
LIMIT_FIELDS = {
    "id", "account_id", "name", "description", "parent_budget_id", "status",
    "period_recurrence_type", "start_date", "end_date", "start_time_utc", "end_time_utc",
    "authorization_settings", "expense_visibility", "authorization_visibility",
    "merchant_category_controls", "transaction_limit", "limit_increase_setting", "spend_type",
    "auto_transfer_cards_setting", "auto_create_limit_cards_setting", "owner_user_ids",
    "member_user_ids", "expense_policy_id", "limit_increase_request_policy_id",
    "limit_approval_policy_id", "current_period_balance", "legal_entity_id", "department_id",
}  # fmt: skip
BOTH = pytest.mark.parametrize(("table", "body"), [("budgets", BUDGET), ("spend_limits", LIMIT)])


def client(url: str, token: str) -> httpx.Client:
    # Without TLS to load, a client costs 1 ms in place of 40.
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, verify=False)


@dataclass
class Desk:
    """A client at a served sandbox; every write gets a key of its own unless one is given."""

    served: Served
    http: httpx.Client
    keys: int = 0

    def send(
        self, method: str, path: str, body: Any = None, key: str | None = None
    ) -> httpx.Response:
        self.keys += 1
        headers = {"Idempotency-Key": key or f"key-{self.keys}"}
        return self.http.request(method, path, json=body, headers=headers)

    def made(self, body: dict[str, Any], table: str = "budgets") -> dict[str, Any]:
        answer = self.send("POST", f"/v2/{table}", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def names(self, limit: int = 1000) -> list[str]:
        names, cursor = [], None
        while True:
            params = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            page = self.http.get("/v2/budgets", params=params).json()
            names += [item["name"] for item in page["items"]]
            cursor = page.get("next_cursor")
            if cursor is None:
                return names


@pytest.fixture
def open_desk() -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def opened(**settings: Any) -> Desk:
            served = stack.enter_context(serve(BrexSandbox(**settings)))
            http = stack.enter_context(client(served.url, "bxt_sandbox"))
            return Desk(served, http)

        yield opened


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()


# Reading


def test_a_fresh_account_has_a_root_budget_and_a_spend_limit_with_a_policy(desk):
    (root,) = desk.http.get("/v2/budgets").json()["items"]
    assert (root["budget_id"], root["parent_budget_id"], root["name"]) == (ROOT, None, "Company")
    (limit,) = desk.http.get("/v2/spend_limits").json()["items"]
    assert limit["expense_policy_id"] == "policy_default"


def test_an_account_can_begin_without_a_spend_limit(open_desk):
    assert open_desk(without_limits=True).http.get("/v2/spend_limits").json()["items"] == []


def test_answers_have_all_fields_of_the_document_and_no_other(desk):
    made, limit = desk.made(BUDGET), desk.made(LIMIT, "spend_limits")
    assert made.keys() == BUDGET_FIELDS
    assert limit.keys() == LIMIT_FIELDS
    assert made == desk.http.get(f"/v2/budgets/{made['budget_id']}").json()
    assert limit == desk.http.get(f"/v2/spend_limits/{limit['id']}").json()
    assert limit["authorization_settings"]["limit_with_increases"]["amount"] == 50_000
    assert (
        made.items() >= (BUDGET | {"spend_budget_status": "ACTIVE", "owner_user_ids": []}).items()
    )


@BOTH
def test_an_unknown_id_is_404_with_a_code(desk, table, body):
    for answer in (
        desk.http.get(f"/v2/{table}/nothing"),
        desk.send("PUT", f"/v2/{table}/nothing", {"name": "x"}),
        desk.http.post(f"/v2/{table}/nothing/archive"),
    ):
        assert answer.status_code == 404
        assert answer.json()["type"] == "NOT_FOUND"
        assert answer.json()["code"].endswith("_NOT_FOUND")


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 1000])
def test_pages_of_any_size_list_everything_once_in_order_of_creation(desk, limit):
    for name in "abc":
        desk.made(BUDGET | {"name": name})
    assert desk.names(limit) == ["Company", "a", "b", "c"]


def test_a_last_page_that_is_full_has_no_next_one(desk):
    desk.made(BUDGET)
    assert desk.http.get("/v2/budgets", params={"limit": 2}).json()["next_cursor"] is None


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", ""])
def test_a_limit_out_of_range_is_400(desk, limit):
    answer = desk.http.get("/v2/budgets", params={"limit": limit})
    assert (answer.status_code, answer.json()["message"]) == (400, "limit is invalid")


def test_a_page_holds_100_when_nothing_is_asked(open_desk):
    seed = {"budgets": [{"budget_id": f"b{i}", "name": "x"} for i in range(120)]}
    assert len(open_desk(seed=seed).http.get("/v2/budgets").json()["items"]) == 100


def test_a_cursor_that_was_not_given_for_this_listing_is_400(desk):
    desk.made(LIMIT, "spend_limits")
    other = desk.http.get("/v2/spend_limits", params={"limit": 1}).json()["next_cursor"]
    for cursor in ("", "%%%", "YnVkZ2V0czp4", other):
        assert desk.http.get("/v2/budgets", params={"cursor": cursor}).status_code == 400


def test_the_last_page_has_a_null_cursor_or_by_switch_none(open_desk):
    assert open_desk().http.get("/v2/budgets").json()["next_cursor"] is None
    assert "next_cursor" not in open_desk(absent_last_cursor=True).http.get("/v2/budgets").json()


def test_a_switch_makes_pages_smaller_than_asked(open_desk):
    desk = open_desk(largest_page=1)
    desk.made(BUDGET)
    assert len(desk.http.get("/v2/budgets", params={"limit": 1000}).json()["items"]) == 1
    assert desk.names() == ["Company", "Travel"]


@pytest.mark.parametrize(
    "query", ["?member_user_id[]=u1&member_user_id[]=u2", "?member_user_id[]=u1,u2"]
)
def test_spend_limits_are_filtered_by_member(open_desk, query):
    desk = open_desk(users=("u1", "u2", "u3"))
    for name, members in (("one", ["u1"]), ("two", ["u2", "u3"]), ("three", ["u3"])):
        desk.made(LIMIT | {"name": name, "member_user_ids": members}, "spend_limits")
    found = desk.http.get("/v2/spend_limits" + query).json()["items"]
    assert [item["name"] for item in found] == ["one", "two"]


# What may be written


@BOTH
def test_every_required_field_is_required_and_may_not_be_null(desk, table, body):
    optional = {"parent_budget_id"} if table == "spend_limits" else set()
    for name in body.keys() - optional:
        without = {key: value for key, value in body.items() if key != name}
        for said in (without, without | {name: None}):
            answer = desk.send("POST", f"/v2/{table}", said)
            assert answer.status_code == 400, name
            assert answer.json() == {"type": "BAD_REQUEST", "message": f"{name} is invalid"}


WRONG_BUDGET = [
    ("amount", {"amount": "1250000", "currency": "EUR"}),
    ("amount", {"amount": 12.5}),
    ("amount", {"amount": 12.0}),
    ("amount", {"amount": True}),
    ("amount", {"amount": 2**63}),
    ("amount", {"amount": 1, "currency": "EURO"}),
    ("amount", {"amount": 1, "currency": "impressions"}),
    ("amount", {"currency": "EUR"}),
    ("amount", 1),
    ("limit_type", "HARD"),
    ("period_recurrence_type", "PER_MONTH"),
    ("name", "Café"),
    ("description", "naïve"),
    ("start_date", "2026-02-30"),
    ("start_date", "20260201"),
    ("end_date", "2026-02-01T00:00:00Z"),
    ("owner_user_ids", "cuuser_ada"),
    ("owner_user_ids", [1]),
    ("parent_budget_id", "budget_nowhere"),
    ("parent_budget_id", "spend_limit_first"),
    ("spend_budget_status", "ARCHIVED"),
    ("colour", "red"),
]
WRONG_LIMIT = [
    ("period_recurrence_type", "MONTHLY"),
    ("parent_budget_id", "budget_nowhere"),
    (
        "authorization_settings",
        LIMIT["authorization_settings"] | {"rollover_refresh_rate": "PER_WEEK"},
    ),
    ("authorization_settings", LIMIT["authorization_settings"] | {"limit_buffer_percentage": 101}),
    ("authorization_settings", LIMIT["authorization_settings"] | {"base_limit": None}),
    ("authorization_settings", LIMIT["authorization_settings"] | {"mood": "good"}),
    ("transaction_limit", {"amount": 1.5}),
    ("status", "ACTIVE"),
    ("merchant_category_controls", {}),
    ("set_end_date_null", True),
]


@pytest.mark.parametrize(("field", "value"), WRONG_BUDGET)
def test_a_wrong_field_of_a_budget_is_400_and_changes_nothing(desk, field, value):
    answer = desk.send("POST", "/v2/budgets", BUDGET | {field: value})
    assert (answer.status_code, answer.json()["message"]) == (400, f"{field} is invalid")
    answer = desk.send("PUT", f"/v2/budgets/{ROOT}", {field: value})
    assert (answer.status_code, answer.json()["message"]) == (400, f"{field} is invalid")
    assert desk.names() == ["Company"]


@pytest.mark.parametrize(("field", "value"), WRONG_LIMIT)
def test_a_wrong_field_of_a_spend_limit_is_400(desk, field, value):
    answer = desk.send("POST", "/v2/spend_limits", LIMIT | {field: value})
    assert (answer.status_code, answer.json()["message"]) == (400, f"{field} is invalid")


@pytest.mark.parametrize("body", [[], "text", None, 7])
def test_a_body_that_is_no_object_is_400(desk, body):
    assert desk.send("POST", "/v2/budgets", body).json()["message"] == "body is invalid"


def test_money_without_a_currency_is_dollars(desk):
    assert desk.made(BUDGET | {"amount": {"amount": 7, "currency": None}})["amount"] == {
        "amount": 7,
        "currency": "USD",
    }


def test_unknown_users_are_refused_or_by_switch_taken(open_desk):
    desk = open_desk()
    assert desk.made(BUDGET | {"owner_user_ids": ["cuuser_ada"]})
    for said in ("cuuser_new", "ada@example.com"):
        answer = desk.send("POST", "/v2/budgets", BUDGET | {"owner_user_ids": [said]})
        assert answer.json()["message"] == "owner_user_ids is invalid"
    desk = open_desk(known_users_only=False)
    made = desk.made(BUDGET | {"owner_user_ids": ["cuuser_new"]})
    assert made["owner_user_ids"] == ["cuuser_new"]


# Users


def emails(desk, query=""):
    return [user["email"] for user in desk.http.get(f"/v2/users{query}").json()["items"]]


def test_users_are_listed_and_found_by_their_email(open_desk):
    desk = open_desk(seed={"users": [{"id": "cuuser_mary", "email": "Mary@x.com"}]})
    assert emails(desk) == ["ada@example.com", "grace@example.com", "Mary@x.com"]
    (mary,) = desk.http.get("/v2/users?email=mary%40X.com").json()["items"]
    assert (mary["id"], mary["status"]) == ("cuuser_mary", "ACTIVE")
    assert emails(desk, "?email=nobody%40x.com") == []


def test_users_come_in_pages(desk):
    first = desk.http.get("/v2/users?limit=1").json()
    assert emails(desk, f"?cursor={first['next_cursor']}") == ["grace@example.com"]


def test_by_switch_the_email_filters_nothing(open_desk):
    assert len(emails(open_desk(ignores_email=True), "?email=ada%40example.com")) == 2


def test_by_switch_a_token_may_not_read_users_nor_an_account_write(open_desk):
    desk = open_desk(reads_users=False, budget_management=False)
    assert desk.http.get("/v2/users").status_code == 403
    assert desk.http.get("/v2/budgets").status_code == 200
    assert desk.send("POST", "/v2/budgets", BUDGET).status_code == 403


# Updates


def test_a_put_changes_the_fields_it_names_and_no_other(desk):
    made = desk.made(BUDGET)
    answer = desk.send("PUT", f"/v2/budgets/{made['budget_id']}", {"name": "Trips"})
    assert answer.json() == made | {"name": "Trips"}


def test_a_null_in_a_budgets_put_is_no_change_or_by_switch_empties(open_desk):
    for null_clears, end in ((False, "2026-12-31"), (True, None)):
        desk = open_desk(null_clears=null_clears)
        made = desk.made(BUDGET | {"end_date": "2026-12-31"})
        nulls = {"end_date": None, "name": None, "period_recurrence_type": None}
        answer = desk.send("PUT", f"/v2/budgets/{made['budget_id']}", nulls)
        assert answer.json() == made | {"end_date": end}


def test_a_budget_moves_below_another_but_never_below_itself(desk):
    upper = desk.made(BUDGET)["budget_id"]
    lower = desk.made(BUDGET | {"parent_budget_id": upper})["budget_id"]
    assert desk.send("PUT", f"/v2/budgets/{upper}", {"parent_budget_id": lower}).status_code == 400
    moved = desk.send("PUT", f"/v2/budgets/{lower}", {"parent_budget_id": ROOT})
    assert moved.json()["parent_budget_id"] == ROOT


def test_a_spend_limit_cannot_be_moved(desk):
    answer = desk.send("PUT", "/v2/spend_limits/spend_limit_first", {"parent_budget_id": ROOT})
    assert answer.json()["message"] == "parent_budget_id is invalid"


def test_a_spend_limits_dates_and_transaction_limit_are_cleared_by_flags_alone(desk):
    said = {
        "start_date": "2026-01-01",
        "end_date": "2026-12-31",
        "transaction_limit": {"amount": 5, "currency": "USD"},
    }
    made = desk.made(LIMIT | said, "spend_limits")
    path = f"/v2/spend_limits/{made['id']}"
    assert made["end_time_utc"] == "2026-12-31T23:59:59Z"
    kept = desk.send("PUT", path, dict.fromkeys(said) | {"set_end_date_null": False})
    assert kept.json() == made
    flags = {f"set_{name}_null": True for name in said}
    cleared = desk.send("PUT", path, flags).json()
    assert cleared == made | dict.fromkeys([*said, "start_time_utc", "end_time_utc"])


def test_a_part_of_the_authorization_settings_leaves_the_rest(desk):
    made = desk.made(LIMIT, "spend_limits")
    higher = {"amount": 70_000, "currency": "USD"}
    put = {"authorization_settings": {"base_limit": higher}, "status": "EXPIRED"}
    answer = desk.send("PUT", f"/v2/spend_limits/{made['id']}", put).json()
    settings = made["authorization_settings"] | {
        "base_limit": higher,
        "limit_with_increases": higher,
    }
    assert answer == made | {"authorization_settings": settings, "status": "EXPIRED"}


def test_settings_that_are_not_there_must_come_whole(desk):
    made = desk.made(LIMIT, "spend_limits")
    path = f"/v2/spend_limits/{made['id']}"
    desk.served.state["spend_limits"].put(made | {"authorization_settings": None})
    whole = LIMIT["authorization_settings"]
    for said, status in (({"base_limit": whole["base_limit"]}, 400), (whole, 200)):
        assert desk.send("PUT", path, {"authorization_settings": said}).status_code == status


def test_merchant_categories_are_words_that_brex_knows(desk):
    path = "/v2/spend_limits/spend_limit_first"
    known = {"allowed_merchant_categories": ["SOFTWARE"]}
    answer = desk.send("PUT", path, {"merchant_category_controls": known})
    assert answer.json()["merchant_category_controls"] == known
    wrong = {"merchant_category_controls": {"allowed_merchant_categories": ["PEACE"]}}
    assert desk.send("PUT", path, wrong).status_code == 400


def test_a_switch_tidies_what_is_stored(open_desk):
    made = open_desk(tidies=True).made(BUDGET | {"name": "  Travel "})
    assert (made["name"], made["owner_user_ids"]) == ("Travel", ["cuuser_ada"])


# Archiving and spending


@BOTH
def test_archive_needs_no_key_has_no_body_and_may_be_repeated(desk, table, body):
    made = desk.made(body, table)
    path = f"/v2/{table}/{made.get('budget_id') or made['id']}"
    for _ in range(2):
        answer = desk.http.post(f"{path}/archive")
        assert (answer.status_code, answer.content) == (200, b"")
    status = "spend_budget_status" if table == "budgets" else "status"
    assert desk.http.get(path).json() == made | {status: "ARCHIVED"}


def test_archived_budgets_stay_in_the_listing_or_by_switch_leave_it(open_desk):
    for hides, names in ((False, ["Company", "Travel"]), (True, ["Company"])):
        desk = open_desk(hides_archived=hides)
        desk.http.post(f"/v2/budgets/{desk.made(BUDGET)['budget_id']}/archive")
        assert desk.names() == names


def test_what_hangs_below_an_archived_budget_stays_or_by_switch_goes_too(open_desk):
    for below, status in ((False, "ACTIVE"), (True, "ARCHIVED")):
        desk = open_desk(archives_below=below)
        top = desk.made(BUDGET)["budget_id"]
        child = desk.made(BUDGET | {"parent_budget_id": top})["budget_id"]
        limit = desk.made(LIMIT | {"parent_budget_id": child}, "spend_limits")["id"]
        desk.http.post(f"/v2/budgets/{top}/archive")
        budget = desk.http.get(f"/v2/budgets/{child}").json()
        wallet = desk.http.get(f"/v2/spend_limits/{limit}").json()
        assert (budget["spend_budget_status"], wallet["status"]) == (status, status)


def test_a_switch_refuses_to_archive_again(open_desk):
    desk = open_desk(archives_once=True)
    path = f"/v2/budgets/{desk.made(BUDGET)['budget_id']}/archive"
    assert [desk.http.post(path).status_code for _ in range(2)] == [200, 409]


def test_spending_shows_in_the_balance_and_survives_an_update(desk):
    for amount in (1200, 34):
        spend = {"spend_limit_id": "spend_limit_first", "amount": amount}
        assert desk.http.post("/_sandbox/spend", json=spend).status_code == 200
    desk.send("PUT", "/v2/spend_limits/spend_limit_first", {"name": "Cards"})
    limit = desk.http.get("/v2/spend_limits/spend_limit_first").json()
    assert limit["name"] == "Cards"
    assert limit["current_period_balance"]["amount_spent"] == {"amount": 1234, "currency": "USD"}


def test_spending_that_names_no_spend_limit_is_400(desk):
    for spend in ({"amount": 1}, {"spend_limit_id": "nothing", "amount": 1}):
        assert desk.http.post("/_sandbox/spend", json=spend).status_code == 400


def test_below_an_archived_budget_nothing_can_be_spent_but_the_status_stays(desk):
    budget = desk.made(BUDGET)["budget_id"]
    limit = desk.made(LIMIT | {"parent_budget_id": budget}, "spend_limits")
    desk.http.post(f"/v2/budgets/{budget}/archive")
    spend = desk.http.post("/_sandbox/spend", json={"spend_limit_id": limit["id"], "amount": 1})
    assert spend.status_code == 400
    assert desk.http.get(f"/v2/spend_limits/{limit['id']}").json() == limit


# Keys


@BOTH
def test_a_write_without_a_key_is_400(desk, table, body):
    path = f"/v2/{table}"
    for answer in (desk.http.post(path, json=body), desk.http.put(f"{path}/{ROOT}", json={})):
        assert (answer.status_code, answer.json()["message"]) == (400, "Idempotency-Key is invalid")


def test_the_same_key_and_body_replays_the_first_answer(desk):
    first = desk.send("POST", "/v2/budgets", BUDGET, key="k")
    desk.send("PUT", f"/v2/budgets/{first.json()['budget_id']}", {"name": "Later"})
    again = desk.send("POST", "/v2/budgets", dict(reversed(BUDGET.items())), key="k")
    assert (again.status_code, again.content) == (200, first.content)
    assert desk.names() == ["Company", "Later"]


def test_the_same_key_with_another_body_is_409_or_by_switch_a_replay(open_desk):
    for lenient, status in ((False, 409), (True, 200)):
        desk = open_desk(lenient_keys=lenient)
        desk.send("POST", "/v2/budgets", BUDGET, key="k")
        answer = desk.send("POST", "/v2/budgets", BUDGET | {"name": "Other"}, key="k")
        assert answer.status_code == status
        assert desk.names() == ["Company", "Travel"]


def test_a_known_key_gets_the_first_answer_or_by_switch_none_or_409(open_desk):
    for replay, status, empty in (
        ("answer", 200, False),
        ("nothing", 200, True),
        ("refused", 409, False),
    ):
        desk = open_desk(replay=replay)
        desk.send("POST", "/v2/budgets", BUDGET, key="k")
        again = desk.send("POST", "/v2/budgets", BUDGET, key="k")
        assert (again.status_code, again.content == b"") == (status, empty)
        assert desk.names() == ["Company", "Travel"]


def test_a_refused_write_does_not_use_up_its_key(desk):
    desk.send("POST", "/v2/budgets", BUDGET | {"limit_type": "HARD"}, key="k")
    assert desk.send("POST", "/v2/budgets", BUDGET, key="k").status_code == 200


# Credentials and rate


def test_without_a_credential_the_answer_is_401_and_empty(desk):
    del desk.http.headers["Authorization"]
    answer = desk.http.get("/v2/budgets")
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_wrong_token_is_403_or_by_switch_401(open_desk):
    for switch, status, type in ((False, 403, "FORBIDDEN"), (True, 401, "UNAUTHORIZED")):
        desk = open_desk(bad_token_is_401=switch)
        for said in ("Bearer bxt_wrong", "bxt_sandbox"):
            answer = desk.http.get("/v2/budgets", headers={"Authorization": said})
            assert (answer.status_code, answer.json()["type"]) == (status, type)
            assert answer.json()["message"].endswith("Invalid or Revoked Token")


def test_a_read_only_token_reads_and_does_not_write(desk):
    desk.http.headers["Authorization"] = "Bearer bxt_readonly"
    assert desk.names() == ["Company"]
    assert desk.send("POST", "/v2/budgets", BUDGET).status_code == 403
    assert desk.http.post(f"/v2/budgets/{ROOT}/archive").status_code == 403


def test_every_answer_has_a_trace_id_of_its_own(desk):
    desk.served.faults.add("error_before")
    answers = [desk.http.get("/v2/budgets"), desk.http.get("/v2/budgets"), desk.http.get("/v2/x")]
    assert [answer.status_code for answer in answers] == [503, 200, 404]
    assert len({answer.headers["X-Brex-Trace-Id"] for answer in answers}) == 3


def test_the_call_after_the_thousandth_of_a_minute_is_429_with_an_empty_body(open_desk):
    clock = [0.0]
    desk = open_desk(rate_limit=None, monotonic=lambda: clock[0])
    desk.served.sandbox._rate = (2, desk.served.sandbox._rate[1])
    assert desk.http.get("/v2/budgets").status_code == 200
    clock[0] = 59.0
    assert desk.http.get("/v2/budgets").status_code == 200
    refused = desk.http.get("/v2/budgets")
    assert (refused.status_code, refused.content) == (429, b"")
    clock[0] = 60.0
    assert desk.http.get("/v2/budgets").status_code == 200
    assert desk.http.get("/v2/budgets").status_code == 429


def test_the_rate_is_the_vendors_another_or_none(open_desk):
    assert BrexSandbox.RATE_LIMIT == "1000/1m"
    narrow, free = open_desk(rate_limit="3/1h", json_429=True), open_desk(rate_limit="off")
    assert [narrow.http.get("/v2/budgets").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert narrow.http.get("/v2/budgets").json()["message"] == "Too many requests"
    assert {free.http.get("/v2/budgets").status_code for _ in range(10)} == {200}


# Faults


def test_a_lost_answer_closes_the_connection_after_the_effect(desk, caplog):
    desk.served.faults.add("lost_answer", method="POST")
    with pytest.raises(httpx.RemoteProtocolError):
        desk.send("POST", "/v2/budgets", BUDGET, key="k")
    assert desk.served.log[-1]["status"] is None
    assert caplog.records == []  # uvicorn has nothing to complain about
    assert desk.names() == ["Company", "Travel"]
    assert desk.send("POST", "/v2/budgets", BUDGET, key="k").json()["name"] == "Travel"
    assert desk.names() == ["Company", "Travel"]


def test_an_error_comes_before_the_effect_or_after_it(desk):
    desk.served.faults.add("error_before", method="POST", status=500)
    assert desk.send("POST", "/v2/budgets", BUDGET).status_code == 500
    assert desk.names() == ["Company"]
    desk.served.faults.add("error_after", method="POST", status=502)
    assert desk.send("POST", "/v2/budgets", BUDGET).status_code == 502
    assert desk.names() == ["Company", "Travel"]


def test_a_rate_limit_fault_may_say_how_long_and_have_a_body(desk):
    desk.served.faults.add("rate_limit")
    bare = desk.send("POST", "/v2/budgets", BUDGET)
    assert (bare.status_code, bare.content, "Retry-After" in bare.headers) == (429, b"", False)
    desk.served.faults.add("rate_limit", retry_after=7, body={"message": "slow down"})
    full = desk.send("POST", "/v2/budgets", BUDGET)
    assert (full.headers["Retry-After"], full.json()) == ("7", {"message": "slow down"})
    assert desk.names() == ["Company"]


def test_an_unauthorized_fault_is_401_without_effect(desk):
    desk.served.faults.add("unauthorized", method="POST")
    assert desk.send("POST", "/v2/budgets", BUDGET).json()["type"] == "UNAUTHORIZED"
    assert desk.names() == ["Company"]


def test_a_delayed_answer_comes_late_and_its_effect_in_time(desk):
    desk.served.faults.add("delay", seconds=0.15)
    begun = time.monotonic()
    assert desk.http.get("/v2/budgets").status_code == 200
    assert time.monotonic() - begun >= 0.15
    desk.served.faults.add("delay", seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        desk.http.request(
            "POST", "/v2/budgets", json=BUDGET, headers={"Idempotency-Key": "k"}, timeout=0.05
        )
    assert desk.names() == ["Company", "Travel"]


def test_garbage_is_a_page_of_html_and_a_cut_body_half_of_the_json(desk):
    whole = desk.http.get("/v2/budgets").content
    desk.served.faults.add("garbage", method="POST")
    garbage = desk.send("POST", "/v2/budgets", BUDGET)
    assert (garbage.status_code, garbage.headers["Content-Type"][:9]) == (200, "text/html")
    assert desk.names() == ["Company", "Travel"]
    desk.served.faults.add("cut", path=f"/v2/budgets/{ROOT}")
    cut = desk.http.get(f"/v2/budgets/{ROOT}")
    assert (cut.status_code, cut.headers["Content-Type"]) == (200, "application/json")
    assert cut.content in whole
    with pytest.raises(json.JSONDecodeError):
        cut.json()


def test_expired_keys_make_a_repeated_create_a_twin(desk):
    desk.send("POST", "/v2/budgets", BUDGET, key="k")
    desk.served.faults.add("key_expiry")
    desk.send("POST", "/v2/budgets", BUDGET, key="k")
    assert desk.names() == ["Company", "Travel", "Travel"]


def test_a_drifting_listing_shows_a_record_twice(desk):
    desk.made(BUDGET)
    desk.served.faults.add("page_drift")
    assert desk.names(limit=1) == ["Company", "Company", "Travel"]
    assert desk.names() == ["Newcomer", "Company", "Travel"]


def test_a_repeating_cursor_never_ends(desk):
    desk.made(BUDGET)
    desk.served.faults.add("repeat_cursor", times=-1, path="/v2/budgets")
    cursors, params = [], {"limit": 1}
    for _ in range(4):
        params["cursor"] = desk.http.get("/v2/budgets", params=params).json()["next_cursor"]
        cursors.append(params["cursor"])
    assert len(set(cursors)) == 1


@pytest.mark.parametrize(
    ("rule", "hits"),
    [
        ({}, [0]),
        ({"times": 2}, [0, 1]),
        ({"times": -1}, [0, 1, 2, 3, 4, 5]),
        ({"every": 3}, [2, 5]),
        ({"every": 2, "times": 1}, [1]),
        ({"method": "POST"}, []),
        ({"path": "/v2/spend"}, []),
    ],
)
def test_a_rule_strikes_as_often_as_it_says_and_where(open_desk, rule, hits):
    desk = open_desk(faults=[Rule(kind="error_before", **rule)])
    statuses = [desk.http.get("/v2/budgets").status_code for _ in range(6)]
    assert [index for index, status in enumerate(statuses) if status == 503] == hits


# The control


def test_faults_are_added_listed_and_dropped_while_it_runs(desk):
    rules = [{"kind": "error_before"}, {"kind": "delay", "seconds": 0}]
    assert desk.http.post("/_sandbox/faults", json=rules).status_code == 200
    assert [rule["kind"] for rule in desk.http.get("/_sandbox/faults").json()] == [
        "error_before",
        "delay",
    ]
    assert desk.http.get("/v2/budgets").status_code == 503
    assert desk.http.post("/_sandbox/faults", json={"kind": "cut"}).status_code == 200
    assert desk.http.delete("/_sandbox/faults").json() == []
    assert desk.http.get("/v2/budgets").json()["items"]


@pytest.mark.parametrize("content", ["{", '{"kind": "flood"}', '{"kind": "cut", "often": 1}', "7"])
def test_a_rule_that_makes_no_sense_is_400(desk, content):
    assert desk.http.post("/_sandbox/faults", content=content).status_code == 400
    assert desk.http.get("/_sandbox/faults").json() == []


def test_the_log_shows_the_calls_and_no_credential(desk):
    desk.send("POST", "/v2/budgets", BUDGET, key="k1")
    desk.http.get("/v2/budgets", params={"limit": 5})
    log = desk.http.get("/_sandbox/log")
    said = [{name: call[name] for name in call if name != "at"} for call in log.json()]
    assert said == [
        {"method": "POST", "path": "/v2/budgets", "query": "", "key": "k1", "status": 200},
        {"method": "GET", "path": "/v2/budgets", "query": "limit=5", "key": None, "status": 200},
    ]
    assert "bxt_" not in log.text
    desk.http.delete("/_sandbox/log")
    assert desk.served.log == []


def test_the_log_shows_when_each_call_came(open_desk):
    clock = [7.0]
    desk = open_desk(monotonic=lambda: clock[0])
    desk.http.get("/v2/budgets")
    clock[0] = 9.5
    desk.http.get("/v2/budgets")
    assert [call["at"] for call in desk.http.get("/_sandbox/log").json()] == [7000, 9500]


def test_the_state_is_a_seed_for_another_sandbox(desk, open_desk):
    made = desk.made(BUDGET)
    twin = open_desk(seed=desk.http.get("/_sandbox/state").json())
    assert twin.http.get("/v2/budgets").json() == desk.http.get("/v2/budgets").json()
    new = twin.send("POST", "/v2/budgets", BUDGET, key="new").json()
    assert new["budget_id"] != made["budget_id"]


def test_a_reset_brings_back_the_seed(open_desk):
    seed = {"budgets": [{"budget_id": "b1", "name": "Seeded"}]}
    desk = open_desk(seed=seed, rate_limit="2/1h")
    desk.send("POST", "/v2/budgets", BUDGET, key="k")
    desk.served.faults.add("error_before", times=-1)
    desk.http.post("/_sandbox/reset")
    assert desk.served.log == []
    assert desk.names() == ["Company", "Seeded"]
    assert desk.send("POST", "/v2/budgets", BUDGET | {"name": "New"}, key="k").status_code == 200


def test_a_removed_row_is_gone_from_the_state_file(desk, tmp_path):
    sandbox = BrexSandbox(persist=tmp_path / "state.json")
    sandbox.state["spend_limits"].remove("spend_limit_first")
    sandbox.state.save()
    again = BrexSandbox(persist=tmp_path / "state.json")
    assert again.state["spend_limits"].rows() == []


def test_an_unknown_switch_is_an_error():
    with pytest.raises(ValueError, match="lenient"):
        BrexSandbox(lenient=True)


# As a process


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[subprocess.Popen[str], httpx.Client]]]:
    with ExitStack() as stack:

        def started(*arguments: str) -> tuple[subprocess.Popen[str], httpx.Client]:
            command = [sys.executable, "-m", "connectors.sandbox", "brex", *arguments]
            process = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            assert process.stdout
            name, url = process.stdout.readline().split()
            assert name == "brex"
            return process, stack.enter_context(client(url, "bxt_mine"))

        yield started


def test_a_process_keeps_its_state_over_a_restart_and_ends_at_once(start, tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text('{"budgets": [{"budget_id": "b1", "name": "Seeded"}]}')
    arguments = ["--token", "bxt_mine", "--persist", str(tmp_path / "state.json")]
    process, http = start(
        *arguments, "--seed", str(seed), "--switch", "tidies", "--fault", '{"kind": "key_expiry"}'
    )
    made = http.post("/v2/budgets", json=BUDGET, headers={"Idempotency-Key": "k"}).json()
    assert made["owner_user_ids"] == ["cuuser_ada"]
    assert http.get("/_sandbox/faults").json()[0]["struck"] == 1
    for sig in (signal.SIGTERM, signal.SIGINT):
        process.send_signal(sig)
        assert process.wait(30) == 0
        process, http = start(*arguments)
        items = http.get("/v2/budgets").json()["items"]
        assert [item["name"] for item in items] == ["Company", "Seeded", "Travel"]
        replay = http.post("/v2/budgets", json=BUDGET, headers={"Idempotency-Key": "k"})
        assert replay.json() == made
    assert not list(tmp_path.glob("*.part"))


def test_a_process_ends_with_its_parent(tmp_path):
    parent = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'connectors.sandbox', 'brex',"
        " '--with-parent'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)\n"
        "print(child.pid, child.stdout.readline().split()[1], flush=True)\n"
        "import os; os._exit(0)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", parent], capture_output=True, text=True, check=True
    )
    pid, url = said.stdout.split()
    try:
        for _ in range(40):
            time.sleep(0.1)
            try:
                httpx.get(f"{url}/_sandbox/log", verify=False)
            except httpx.ConnectError:
                return
        pytest.fail("it still answers")
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nobody"],
        ["brex", "--switch", "lenient"],
        ["brex", "--fault", "{}"],
        ["brex", "--seed", "/no"],
    ],
)
def test_a_process_refuses_what_it_does_not_know(arguments, capsys):
    from connectors.sandbox.__main__ import main

    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "Traceback" not in capsys.readouterr().err


def test_a_secret_stays_out_of_the_state(tmp_path: Path):
    assert b"bxt_" not in BrexSandbox(token="bxt_secret").state.document()

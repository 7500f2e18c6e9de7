"""The BILL sandbox over real HTTP: each rule that BILL documents, and each switch."""

from contextlib import ExitStack
from datetime import UTC, datetime

import httpx
import pytest

from connectors.sandbox.bill.api import BillSandbox
from connectors.sandbox.server import serve
from connectors.sandbox.state import loads

NOW = datetime(2024, 12, 15, 21, 10, 30, tzinfo=UTC)
TOKEN = "bill_sandbox_token"
ADA, GRACE = "VXNlcjox", "VXNlcjoy"
BUDGET = {
    "name": "Happy Music Supplies",
    "owners": [ADA],
    "recurringInterval": "MONTHLY",
    "limit": 100,
    "recurringLimit": 200,
}
BUDGETS, USERS = "/v3/spend/budgets", "/v3/spend/users"


class Desk:
    """A client at a served sandbox."""

    def __init__(self, served, http):
        self.served, self.http = served, http

    def call(self, method, path, body=None, **params):
        return self.http.request(method, path, json=body, params=params)

    def made(self, **changed):
        answer = self.call("POST", BUDGETS, {**BUDGET, **changed})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def page(self, path=BUDGETS, **params):
        return self.call("GET", path, **params).json()

    def names(self, **params):
        return [row["name"] for row in self.page(**params)["results"]]

    def put(self, budget, user, **said):
        return self.call("PUT", f"{BUDGETS}/{budget['id']}/members/{user}", said)

    def clock(self, now):
        self.http.post("/_sandbox/clock", json={"now": now})


@pytest.fixture
def open_desk():
    with ExitStack() as stack:

        def opened(**settings):
            said = {"rate_limit": "off", "now": NOW, **settings}
            served = stack.enter_context(serve(BillSandbox(**said)))
            # Without TLS to load, a client costs 1 ms in place of 40.
            http = httpx.Client(base_url=served.url, headers={"apiToken": TOKEN}, verify=False)
            return Desk(served, stack.enter_context(http))

        yield opened


@pytest.fixture
def desk(open_desk):
    return open_desk()


def failed(answer, status, said):
    (error,) = answer.json()
    assert (answer.status_code, error["severity"]) == (status, "ERROR")
    assert said in error["message"]


# Credential and rate


@pytest.mark.parametrize("headers", [{}, {"apiToken": "wrong"}, {"Authorization": TOKEN}])
def test_only_the_api_token_header_opens(desk, headers):
    failed(httpx.get(f"{desk.served.url}{BUDGETS}", headers=headers), 401, "Unauthorized")


def test_a_401_is_plain_text_by_switch(open_desk):
    answer = httpx.get(f"{open_desk(text_401=True).served.url}{BUDGETS}")
    assert (answer.status_code, answer.text) == (401, "Unauthorized")


def test_the_call_after_the_sixtieth_of_a_minute_is_429(open_desk):
    desk = open_desk(rate_limit=None, retry_after=7)
    answers = [desk.call("GET", f"{USERS}/current") for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {200}
    assert answers[60].headers["Retry-After"] == "7"
    failed(answers[60], 429, "Max number")


# Budgets


def test_the_guides_request_gets_the_guides_answer(desk):
    made = desk.made()
    assert (made.pop("id"), made.pop("uuid")) == ("QnVkZ2V0OjM=", "bgt_00000003")
    assert made == {
        "name": "Happy Music Supplies",
        "retired": False,
        "startDate": "2024-12-15",
        "recurringInterval": "MONTHLY",
        "timezone": "US/Eastern",
        "autoAddUsers": False,
        "receiptRequired": True,
        "carryOver": False,
        "budgetGroup": False,
        "shareFunds": "SHARE_MANUALLY",
        "recurringLimit": 200,
        "limitlessOverspend": False,
        "currentPeriod": {
            "startDate": "2024-12-01",
            "endDate": "2025-01-01",
            "limit": 100,
            "overspendBuffer": 0,
            "assigned": 0,
            "spent": {"cleared": 0, "pending": 0, "total": 0},
        },
        "default": False,
    }


@pytest.mark.parametrize(
    "field", ["name", "owners", "recurringInterval", "limit", "recurringLimit"]
)
def test_what_a_create_requires(desk, field):
    body = {name: value for name, value in BUDGET.items() if name != field}
    failed(desk.call("POST", BUDGETS, body), 400, f"{field}: must not be null")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "name"),
        ({"owners": []}, "owners"),
        ({"owners": ["nobody"]}, "owners"),
        ({"recurringInterval": "HOURLY"}, "recurringInterval"),
        ({"limit": -1}, "limit"),
        ({"limit": True}, "limit"),
        ({"recurMonth": 4}, "recurMonth"),
        ({"recurMonth": 13, "recurringInterval": "YEARLY"}, "recurMonth"),
        ({"timezone": "Europe/Paris"}, "timezone"),
        ({"timezone": "US/Nowhere"}, "timezone"),
        ({"expirationDate": "31.12.2025"}, "expirationDate"),
        ({"limitlessGoal": 9}, "limitlessGoal"),
        ({"limitlessOverspend": True, "recurringInterval": "DAILY"}, "limitlessOverspend"),
        ({"overspendBuffer": 5, "limitlessOverspend": True}, "overspendBuffer"),
        ({"overspendBuffer": 5, "recurringInterval": "WEEKLY"}, "overspendBuffer"),
        ({"parentBudgetId": "nothing"}, "parentBudgetId"),
    ],
)
def test_a_wrong_field_is_400_and_makes_nothing(desk, changed, said):
    failed(desk.call("POST", BUDGETS, {**BUDGET, **changed}), 400, said)
    assert desk.names() == []


def test_each_failure_has_an_item_of_its_own(desk):
    answer = desk.call("POST", BUDGETS, {**BUDGET, "name": "", "limit": "x"})
    assert [each["message"] for each in answer.json()] == ["name: is invalid", "limit: is invalid"]


def test_numbers_may_be_text_and_unknown_fields_are_ignored(desk):
    made = desk.made(limit="100.50", retired=True, customFields=[1])
    assert (made["currentPeriod"]["limit"], made["retired"]) == (100.5, False)


def test_without_a_limit_spending_must_have_none(desk):
    made = desk.made(limit=None, limitlessOverspend=True, limitlessGoal=9)
    assert made["limitlessOverspend"] is True
    assert "limitlessGoal" not in made


def test_a_parent_must_be_a_budget_group_and_is_named_by_either_id(open_desk):
    desk = open_desk()
    plain, group = desk.made(), desk.made(budgetGroup=True)
    failed(desk.call("POST", BUDGETS, {**BUDGET, "parentBudgetId": plain["id"]}), 400, "group")
    assert desk.made(parentBudgetId=group["uuid"])["parentBudgetId"] == group["id"]


def test_a_patch_changes_what_it_names_and_a_null_end_goes(desk):
    made = desk.made(expirationDate="2025-12-31", description="Old")
    path = f"{BUDGETS}/{made['id']}"
    changed = desk.call("PATCH", path, {"limit": 150, "expirationDate": None}).json()
    made["currentPeriod"]["limit"] = 150
    del made["expirationDate"]
    assert changed == made == desk.call("GET", path).json()


def test_a_patch_that_breaks_a_rule_changes_nothing(desk):
    made = desk.made(recurringInterval="DAILY")
    path = f"{BUDGETS}/{made['uuid']}"
    failed(desk.call("PATCH", path, {"limitlessOverspend": True}), 400, "limitlessOverspend")
    assert desk.call("GET", path).json() == made


def test_another_interval_begins_another_period(desk):
    made = desk.made(recurringInterval="YEARLY", recurMonth=4)
    assert made["currentPeriod"]["startDate"] == "2024-04-01"
    path = f"{BUDGETS}/{made['id']}"
    changed = desk.call("PATCH", path, {"recurringInterval": "WEEKLY"}).json()
    assert changed["currentPeriod"]["endDate"] == "2024-12-16"
    assert changed["currentPeriod"]["limit"] == 100
    assert "recurMonth" not in changed


def test_another_month_of_reset_begins_another_period_of_the_same_limit(desk):
    made = desk.made(recurringInterval="YEARLY", recurMonth=4)
    changed = desk.call("PATCH", f"{BUDGETS}/{made['id']}", {"recurMonth": 7}).json()
    assert (changed["recurMonth"], changed["currentPeriod"]["startDate"]) == (7, "2024-07-01")
    assert changed["currentPeriod"]["limit"] == 100


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_budget_is_404(desk, method):
    failed(desk.call(method, f"{BUDGETS}/nothing", {}), 404, "nothing")


def test_a_deleted_budget_is_retired_answers_and_leaves_the_list(desk):
    made = desk.made()
    path = f"{BUDGETS}/{made['id']}"
    gone = desk.call("DELETE", path)
    assert (gone.status_code, gone.content) == (200, b"")
    assert desk.call("GET", path).json() == {**made, "retired": True}
    assert (desk.names(), desk.names(filters="retired:eq:true")) == ([], [made["name"]])
    failed(desk.call("DELETE", path), 404, "retired")


@pytest.mark.parametrize("second", [200, 400])
def test_a_second_delete_is_answered_as_the_switch_says(open_desk, second):
    desk = open_desk(deleted=204, second_delete=second, created=201)
    path = f"{BUDGETS}/{desk.made()['id']}"
    assert desk.call("DELETE", path).status_code == 204
    assert desk.call("DELETE", path).status_code in (second, 204)


def test_a_delete_answers_what_it_retired_by_switch(open_desk):
    desk = open_desk(delete_shows=True)
    made = desk.made()
    assert desk.call("DELETE", f"{BUDGETS}/{made['id']}").json() == {**made, "retired": True}


# Lists


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("carries", [True, False])
def test_pages_of_any_size_list_everything_once_in_order(open_desk, size, carries):
    desk = open_desk(token_carries_query=carries)
    for name in "CABED":
        desk.made(name=name)
    asked, names, token = {"max": size, "sort": "name:desc"}, [], {}
    while token is not None:
        page = desk.page(**asked, **token)
        names += [row["name"] for row in page["results"]]
        token = {"nextPage": page["nextPage"]} if page["nextPage"] else None
    assert names == list("EDCBA")


def test_what_a_page_token_does_not_carry_falls_back_to_20(open_desk):
    desk = open_desk(token_carries_query=False)
    for number in range(25):
        desk.made(name=f"{number}")
    token = desk.page(max=2)["nextPage"]
    assert len(desk.page(nextPage=token)["results"]) == 20


def test_a_page_holds_20_and_what_bill_does_not_know_is_ignored(desk):
    for number in range(21):
        desk.made(name=f"{number}")
    assert len(desk.page(limit=200, page=2)["results"]) == 20


@pytest.mark.parametrize(
    "asked",
    [
        {"max": 101},
        {"max": 0},
        {"sort": "startDate:asc"},
        {"sort": "name:up"},
        {"filters": "owner:eq:x"},
        {"filters": "name:like:x"},
        {"filters": "name"},
        {"nextPage": "???"},
    ],
)
def test_a_query_that_cannot_be_read_is_400(desk, asked):
    failed(desk.call("GET", BUDGETS, **asked), 400, next(iter(asked)))


def test_filters_are_joined_by_and(desk):
    group = desk.made(name="A, quoted", budgetGroup=True)
    child = desk.made(name="B", parentBudgetId=group["id"])
    desk.made(name="Bee")
    assert desk.names(filters='name:eq:"A, quoted"') == ["A, quoted"]
    assert desk.names(filters="name:sw:B,retired:eq:false", sort="name:asc") == ["B", "Bee"]
    assert desk.names(filters=f"parentBudgetId:eq:{group['id']}") == ["B"]
    assert desk.names(filters="isBudgetGroup:eq:true") == ["A, quoted"]
    ids = f'budgetIds:in:"{group["id"]},{child["uuid"]}"'
    assert desk.names(filters=ids, sort="name:asc") == ["A, quoted", "B"]


@pytest.mark.parametrize(
    ("switches", "unfiltered", "active", "retired"),
    [
        ({}, ["A"], ["A"], ["R"]),
        ({"hides_retired": False}, ["A", "R"], ["A"], ["R"]),
        ({"ignores_retired": True}, ["A"], ["A"], ["A"]),
        ({"blind": True}, [], [], ["R"]),
    ],
)
def test_what_lists_show_of_the_retired(open_desk, switches, unfiltered, active, retired):
    desk = open_desk(**switches)
    desk.made(name="A")
    desk.call("DELETE", f"{BUDGETS}/{desk.made(name='R')['id']}")
    halves = [{}, {"filters": "retired:eq:false"}, {"filters": "retired:eq:true"}]
    assert [desk.names(**each) for each in halves] == [unfiltered, active, retired]


def test_other_filters_do_nothing_by_switch(open_desk):
    desk = open_desk(ignores_filters=True)
    desk.made(name="A")
    assert desk.names(filters="name:eq:B") == ["A"]


@pytest.mark.parametrize(("last_page", "said"), [("null", None), ("empty", ""), ("absent", 0)])
def test_the_last_page_says_so_in_one_of_three_ways(open_desk, last_page, said):
    page = open_desk(last_page=last_page).page()
    assert page.get("nextPage", 0) == said


def test_a_full_last_page_is_followed_by_an_empty_one_by_switch(open_desk):
    desk = open_desk(empty_last_page=True)
    desk.made()
    page = desk.page(max=1)
    assert desk.page(max=1, nextPage=page["nextPage"])["results"] == []


def test_pages_drift_and_tokens_repeat_as_faults_say(desk):
    for name in "AB":
        desk.made(name=name)
    desk.served.faults.add("page_drift")
    token = desk.page(max=1, sort="name:asc")["nextPage"]
    assert [row["name"] for row in desk.page(max=1, nextPage=token)["results"]] == ["A"]
    desk.served.faults.add("repeat_cursor", times=-1)
    assert desk.page(nextPage=token)["nextPage"] == token


# Members


def test_the_guides_member_gets_the_guides_answer(desk):
    made = desk.made()
    answer = desk.put(made, GRACE, limit="50", recurringLimit="100").json()
    assert answer.pop("userUuid") == "usr_00000002"
    assert answer == {
        "userId": GRACE,
        "spent": 0,
        "limit": 50,
        "recurringLimit": 100,
        "recurring": True,
        "budgetRole": "MEMBER",
        "name": "Grace Hopper",
        "retired": False,
        "shareBudgetFunds": False,
    }
    shown = desk.call("GET", f"{BUDGETS}/{made['id']}").json()
    assert shown["currentPeriod"]["assigned"] == 50


def test_owners_are_members_in_that_role(desk):
    made = desk.made(observers=[GRACE])
    page = desk.page(f"{BUDGETS}/{made['id']}/members", sort="name:asc")
    roles = [(row["name"], row["budgetRole"]) for row in page["results"]]
    assert roles == [("Ada Lovelace", "OWNER"), ("Grace Hopper", "OBSERVER")]


@pytest.mark.parametrize(
    "said",
    [
        {"limit": 1},
        {"recurringLimit": 1},
        {"limit": 1, "recurringLimit": 1, "shareBudgetFunds": True},
        {"limit": 1, "recurringLimit": 1, "role": "BOSS"},
    ],
)
def test_a_member_shares_the_funds_or_has_two_limits(desk, said):
    assert desk.put(desk.made(), GRACE, **said).status_code == 400


def test_a_member_of_a_budget_that_never_recurs_needs_one_limit(desk):
    made = desk.made(recurringInterval="NONE")
    assert desk.put(made, GRACE, limit=1).json()["recurring"] is False
    assert "endDate" not in made["currentPeriod"]


@pytest.mark.parametrize(("resets", "role"), [(False, "OWNER"), (True, "MEMBER")])
def test_a_put_without_a_role_keeps_it_or_by_switch_does_not(open_desk, resets, role):
    desk = open_desk(put_resets_role=resets)
    assert desk.put(desk.made(), ADA, limit=1, recurringLimit=1).json()["budgetRole"] == role


@pytest.mark.parametrize(("forgets", "status"), [(False, 200), (True, 404)])
def test_a_removed_member_is_retired_or_by_switch_forgotten(open_desk, forgets, status):
    desk = open_desk(forgets_members=forgets)
    made = desk.made()
    desk.put(made, GRACE, limit=5, recurringLimit=5)
    path = f"{BUDGETS}/{made['id']}/members/{GRACE}"
    assert desk.call("DELETE", path).status_code == 200
    assert desk.call("GET", path).status_code == status
    assert desk.call("GET", f"{BUDGETS}/{made['id']}").json()["currentPeriod"]["assigned"] == 0


def test_unknown_users_and_retired_budgets_take_no_members(desk):
    made = desk.made()
    assert desk.put(made, "nobody", limit=1, recurringLimit=1).status_code == 404
    desk.call("DELETE", f"{BUDGETS}/{made['id']}")
    assert desk.put(made, GRACE, limit=1, recurringLimit=1).status_code == 400


@pytest.mark.parametrize("field", ["owners", "members", "observers"])
def test_nobody_who_is_retired_gets_a_part_in_a_new_budget(desk, field):
    users = desk.served.state["users"]
    users.put({**users.get(GRACE), "retired": True})
    failed(
        desk.call("POST", BUDGETS, {**BUDGET, field: [GRACE]}), 400, f"{field}: {GRACE} is retired"
    )
    assert desk.names() == []


def put_many(desk, budget, *users, **said):
    members = [{"userId": user, "limit": 5, "recurringLimit": 5, **said} for user in users]
    return desk.call("PUT", f"{BUDGETS}/{budget['id']}/members/bulk", {"members": members})


def members(desk, budget):
    return [row["userId"] for row in desk.page(f"{BUDGETS}/{budget['id']}/members")["results"]]


@pytest.mark.parametrize(
    ("answer", "said"), [("nothing", ""), ("members", '{"members":[{'), ("text", "OK")]
)
def test_several_members_are_put_at_once_and_answered_as_the_switch_says(open_desk, answer, said):
    desk = open_desk(bulk_answer=answer)
    made = desk.made()
    answered = put_many(desk, made, ADA, "usr_00000002", role="OBSERVER")
    assert (answered.status_code, answered.text[: len(said) or None]) == (200, said)
    assert members(desk, made) == [ADA, GRACE]
    assert desk.call("GET", f"{BUDGETS}/{made['id']}").json()["currentPeriod"]["assigned"] == 10


@pytest.mark.parametrize(
    ("refusal", "status", "there"),
    [("all", 404, [ADA]), ("one", 404, [ADA, GRACE]), ("silent", 200, [ADA, GRACE])],
)
def test_one_that_is_wrong_stops_all_or_none_by_switch(open_desk, refusal, status, there):
    desk = open_desk(bulk_refusal=refusal)
    made = desk.made()
    assert put_many(desk, made, "nobody", GRACE).status_code == status
    assert members(desk, made) == there


def test_more_than_five_are_put_later(open_desk):
    people = [
        {"id": f"u{n}", "firstName": "U", "lastName": str(n), "email": f"{n}@x.com"}
        for n in range(6)
    ]
    desk = open_desk(seed={"users": people})
    made = desk.made(owners=["u0"])
    assert put_many(desk, made, *(each["id"] for each in people)).status_code == 200
    assert [len(members(desk, made)) for _ in range(2)] == [1, 6]


def test_each_of_several_has_to_say_who_it_is(desk):
    path = f"{BUDGETS}/{desk.made()['id']}/members/bulk"
    for body in ({}, {"members": [{"limit": 1, "recurringLimit": 1}]}):
        failed(desk.call("PUT", path, body), 400, "members: ")


# Users


def test_users_are_listed_made_and_found(desk):
    body = {"firstName": "Clark", "lastName": "S", "email": "c@x.com", "role": "MEMBER"}
    made = desk.call("POST", USERS, body).json()
    assert made["createdTime"] == "2024-12-15T21:10:30.000+00:00"
    assert desk.page(USERS)["results"][-1] == made == desk.page(f"{USERS}/{made['uuid']}")
    failed(desk.call("POST", USERS, body), 400, "email")
    assert desk.page(f"{USERS}/current")["id"] == ADA


# Time


def test_a_reset_brings_the_later_limits_and_forgets_what_was_spent(desk):
    made = desk.made()
    desk.put(made, GRACE, limit=50, recurringLimit=60)
    spend = {"budgetId": made["id"], "userId": GRACE, "amount": "12.34"}
    shown = desk.http.post("/_sandbox/spend", json=spend).json()
    assert shown["currentPeriod"]["spent"] == {"cleared": 12.34, "pending": 0, "total": 12.34}
    desk.clock("2025-01-01T04:59:00+00:00")  # still the year before in US/Eastern
    assert desk.page()["results"][0]["currentPeriod"]["limit"] == 100
    desk.clock("2025-01-01T05:00:00+00:00")
    (row,) = desk.page()["results"]
    period = row["currentPeriod"]
    assert (period["startDate"], period["endDate"]) == ("2025-01-01", "2025-02-01")
    assert (period["limit"], period["assigned"], period["spent"]["total"]) == (200, 60, 0)
    (_, grace) = desk.page(f"{BUDGETS}/{made['id']}/members")["results"]
    assert (grace["limit"], grace["spent"]) == (60, 0)


@pytest.mark.parametrize(
    ("end", "said"), [("exclusive", "2025-01-01"), ("inclusive", "2024-12-31"), ("absent", None)]
)
def test_where_a_period_ends_is_a_switch(open_desk, end, said):
    assert open_desk(end_date=end).made()["currentPeriod"].get("endDate") == said


# Answers


def test_answers_spell_ids_and_numbers_as_the_switches_say(open_desk):
    desk = open_desk(parent_as_uuid=True, money_as_text=True)
    group = desk.made(budgetGroup=True)
    child = desk.made(limit="1.5", parentBudgetId=group["id"])
    assert child["parentBudgetId"] == group["uuid"]
    assert child["currentPeriod"]["limit"] == "1.50"
    desk = open_desk(uuids=False, hides_parent=True)
    group = desk.made(budgetGroup=True)
    child = desk.made(parentBudgetId=group["id"])
    assert not {"uuid", "parentBudgetId"} & set(child)
    (owner,) = desk.page(f"{BUDGETS}/{child['id']}/members")["results"]
    assert "userUuid" not in owner


@pytest.mark.parametrize("hides", [True, False])
def test_where_years_begin_is_answered_or_by_switch_not(open_desk, hides):
    made = open_desk(hides_recur_month=hides).made(recurringInterval="YEARLY", recurMonth=4)
    assert (made["currentPeriod"]["startDate"], "recurMonth" in made) == ("2024-04-01", not hides)


def test_the_state_is_a_seed_for_another_sandbox(desk, open_desk):
    made = desk.made()
    seed = loads(desk.http.get("/_sandbox/state").content)
    other = open_desk(seed=seed)
    assert other.page()["results"] == [made]

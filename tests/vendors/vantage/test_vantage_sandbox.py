"""The Vantage sandbox over real HTTP: each rule that Vantage documents, each switch, each fault."""

import time
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from connectors.sandbox.server import Served, serve
from connectors.sandbox.vantage.api import WORKSPACE, VantageSandbox

MARCH = {"start_at": "2024-03-01", "end_at": "2024-04-30", "amount": 300}
FIELDS = {
    "token", "name", "workspace_token", "user_token", "created_by_token", "cost_report_token",
    "created_at", "budget_alert_tokens", "child_budget_tokens", "periods", "performance",
}  # fmt: skip


@dataclass
class Desk:
    served: Served
    http: httpx.Client

    def made(self, name, **body):
        answer = self.http.post("/budgets", json={"name": name, **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def put(self, token, **body):
        return self.http.put(f"/budgets/{token}", json=body)

    def names(self, limit):
        names, page = [], f"/budgets?page=1&limit={limit}"
        while page:
            answer = self.http.get(page).json()
            names += [row["name"] for row in answer["budgets"]]
            page = (answer["links"].get("next") or "").removeprefix("/v2")
        return names


@pytest.fixture
def open_desk():
    with ExitStack() as stack:

        def opened(token="vntg_sandbox", **settings):
            served = stack.enter_context(serve(VantageSandbox(**settings)))
            headers = {"Authorization": f"Bearer {token}"}
            http = httpx.Client(base_url=f"{served.url}/v2", headers=headers, verify=False)
            return Desk(served, stack.enter_context(http))

        yield opened


@pytest.fixture
def desk(open_desk):
    return open_desk()


# Budgets


def test_a_budget_is_answered_with_all_fields_and_amounts_as_text(desk):
    made = desk.made("Data", periods=[MARCH])
    assert made.keys() == FIELDS
    assert made["workspace_token"] == WORKSPACE
    assert made["periods"] == [MARCH | {"amount": "300.0"}]
    assert desk.http.get(f"/budgets/{made['token']}").json() == made


def test_performance_has_a_row_per_month_newest_first_and_null_between(desk):
    january = {"start_at": "2024-01-01", "end_at": "2024-01-31", "amount": 12.5}
    rows = desk.made("Data", periods=[january, MARCH])["performance"]
    assert [row and (row["date"], row["amount"]) for row in rows] == [
        ("April, 2024", "300.0"),
        ("March, 2024", "300.0"),
        None,
        ("January, 2024", "12.5"),
    ]


def test_performance_can_be_left_out(desk):
    token = desk.made("Data")["token"]
    answer = desk.http.get(f"/budgets/{token}", params={"include_performance": "false"}).json()
    assert "performance" not in answer


def test_a_put_changes_what_it_names_and_nothing_else(desk):
    made = desk.made("Data", periods=[MARCH], cost_report_token="rprt_1")
    assert desk.put(made["token"], name="Other").json() == made | {"name": "Other"}


@pytest.mark.parametrize(("replaces", "kept"), [(False, 2), (True, 1)])
def test_periods_that_a_put_does_not_name_stay_or_go(open_desk, replaces, kept):
    desk = open_desk(replaces_periods=replaces)
    token = desk.made("Data", periods=[MARCH])["token"]
    may = {"start_at": "2024-05-01", "end_at": None, "amount": 1}
    assert len(desk.put(token, periods=[may]).json()["periods"]) == kept


def test_a_period_with_a_known_start_is_replaced(desk):
    token = desk.made("Data", periods=[MARCH])["token"]
    assert desk.put(token, periods=[MARCH | {"amount": 1.25}]).json()["periods"] == [
        MARCH | {"amount": "1.25"}
    ]


@pytest.mark.parametrize(("default", "shown"), [(False, []), (True, ["10000.0"])])
def test_an_empty_list_of_periods_may_bring_default_ones(open_desk, default, shown):
    made = open_desk(default_periods=default).made("Data", periods=[])
    assert [period["amount"] for period in made["periods"]] == shown


@pytest.mark.parametrize(
    ("how", "shown"),
    [("null", {"end_at": None}), ("empty", {"end_at": ""}), ("absent", {})],
)
def test_an_open_end_is_answered_in_one_of_three_ways(open_desk, how, shown):
    made = open_desk(open_end=how).made("D", periods=[{"start_at": "2024-01-01", "amount": 1}])
    assert made["periods"] == [{"start_at": "2024-01-01", "amount": "1.0"} | shown]


@pytest.mark.parametrize(("how", "shown"), [("taken", "2024-03-05"), ("widened", "2024-03-01")])
def test_a_period_that_begins_within_a_month_is_taken_or_widened(open_desk, how, shown):
    made = open_desk(mid_month=how).made("D", periods=[MARCH | {"start_at": "2024-03-05"}])
    assert [(each["start_at"], each["end_at"]) for each in made["periods"]] == [
        (shown, "2024-04-30")
    ]


def test_a_period_that_begins_within_a_month_may_be_refused(open_desk):
    desk = open_desk(mid_month="refused")
    body = {"name": "D", "periods": [MARCH | {"start_at": "2024-03-05"}]}
    assert desk.http.post("/budgets", json=body).status_code == 422
    assert desk.made("D", periods=[MARCH])["periods"] == [MARCH | {"amount": "300.0"}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": "D", "status": "active"}, 400),
        ({"name": "D", "workspace_token": "wrkspc_other"}, 400),
        ({"name": "D", "periods": [MARCH | {"amount": "300"}]}, 400),
        ({"name": "D", "periods": [MARCH | {"amount": -1}]}, 400),
        ({"name": "D", "periods": [MARCH | {"start_at": "2024-13-01"}]}, 400),
        ({"name": "D", "periods": [MARCH | {"end_at": "2024-02-01"}]}, 400),
        ({"name": "D", "periods": [MARCH, MARCH | {"start_at": "2024-04-01"}]}, 422),
        ({"name": "D", "child_budget_tokens": ["bdgt_unknown"]}, 400),
    ],
)
def test_a_wrong_create_is_refused_with_a_list_of_texts(desk, body, status):
    answer = desk.http.post("/budgets", json=body)
    assert answer.status_code == status
    assert [type(text) for text in answer.json()["errors"]] == [str]
    assert desk.names(10) == []


def test_a_body_that_is_no_json_is_refused(desk):
    assert desk.http.post("/budgets", content=b"{").status_code == 400


def test_reports_may_be_known_ones_only(open_desk):
    desk = open_desk(reports=("rprt_1",))
    body = {"name": "Data", "cost_report_token": "rprt_2"}
    assert desk.http.post("/budgets", json=body).status_code == 400
    assert desk.made("Data", cost_report_token="rprt_1")["cost_report_token"] == "rprt_1"


def test_a_deleted_budget_is_gone_and_a_second_delete_says_so(desk):
    token = desk.made("Data")["token"]
    assert desk.http.delete(f"/budgets/{token}").content == b""
    answers = [desk.http.delete(f"/budgets/{token}"), desk.http.get(f"/budgets/{token}")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == {"errors": ["Resource not found"]}


# Hierarchies


def child_and_parent(desk):
    child = desk.made("Child", periods=[MARCH])["token"]
    second = {"start_at": "2024-04-01", "end_at": None, "amount": 50}
    other = desk.made("Other", periods=[second])["token"]
    return child, desk.made("Parent", child_budget_tokens=[child, other])


def test_a_parent_is_the_sum_of_its_children_and_its_own_periods_are_ignored(desk):
    _, parent = child_and_parent(desk)
    shown = [
        {"start_at": "2024-03-01", "end_at": "2024-03-31", "amount": "300.0"},
        {"start_at": "2024-04-01", "end_at": "2024-04-30", "amount": "350.0"},
        {"start_at": "2024-05-01", "end_at": None, "amount": "50.0"},
    ]
    assert parent["periods"] == shown
    assert desk.put(parent["token"], periods=[MARCH]).json()["periods"] == shown


@pytest.mark.parametrize("how", ["none", "own"])
def test_a_parent_may_show_no_sum(open_desk, how):
    assert child_and_parent(open_desk(parent_periods=how))[1]["periods"] == []


def test_a_deleted_child_leaves_its_parent(desk):
    child, parent = child_and_parent(desk)
    desk.http.delete(f"/budgets/{child}")
    left = desk.http.get(f"/budgets/{parent['token']}").json()["child_budget_tokens"]
    assert left == parent["child_budget_tokens"][1:]


def test_a_child_may_be_kept_while_it_is_one(open_desk):
    desk = open_desk(keeps_children=True)
    child, parent = child_and_parent(desk)
    assert desk.http.delete(f"/budgets/{child}").status_code == 422
    desk.http.delete(f"/budgets/{parent['token']}")
    assert desk.http.delete(f"/budgets/{child}").status_code == 204


def test_no_budget_stands_twice_in_a_hierarchy(desk):
    child, parent = child_and_parent(desk)
    assert desk.put(parent["token"], child_budget_tokens=[child, child]).status_code == 422
    assert desk.put(parent["token"], child_budget_tokens=[parent["token"]]).status_code == 422


def test_a_hierarchy_has_ten_levels(desk):
    token = desk.made("Level 0")["token"]
    for level in range(1, 10):
        token = desk.made(f"Level {level}", child_budget_tokens=[token])["token"]
    body = {"name": "Level 10", "child_budget_tokens": [token]}
    assert desk.http.post("/budgets", json=body).status_code == 422


# Alerts


def test_an_alert_shows_at_its_budget_until_it_is_deleted(desk):
    token = desk.made("Data")["token"]
    body = {"budget_tokens": [token], "threshold": 75, "duration_in_days": ""}
    alert = desk.http.post("/budget_alerts", json=body).json()
    assert (alert["threshold"], alert["duration_in_days"]) == (75, None)
    assert alert["period_to_track"] == "start_of_the_month"
    changed = desk.http.put(f"/budget_alerts/{alert['token']}", json={"duration_in_days": "3"})
    assert changed.json() == alert | {"duration_in_days": 3}
    shown = desk.http.get("/budget_alerts", params={"budget_token": token}).json()
    assert [each["token"] for each in shown["budget_alerts"]] == [alert["token"]]
    assert desk.http.get(f"/budgets/{token}").json()["budget_alert_tokens"] == [alert["token"]]
    assert desk.http.delete(f"/budget_alerts/{alert['token']}").status_code == 204
    assert desk.http.get(f"/budgets/{token}").json()["budget_alert_tokens"] == []


def test_alerts_may_read_as_on_old_pages(open_desk):
    desk = open_desk(old_alerts=True)
    body = {"budget_tokens": [], "threshold": 75, "duration_in_days": "3"}
    alert = desk.http.post("/budget_alerts", json=body).json()
    assert (alert["threshold"], alert["duration_in_days"]) == ("75", "3")
    assert (alert["user_tokens"], alert["recipient_channels"]) == ("", "")
    (listed,) = desk.http.get("/budget_alerts").json()["budget_alerts"]
    assert listed == alert == desk.http.get(f"/budget_alerts/{alert['token']}").json()


def test_a_budget_with_alerts_may_be_kept(open_desk):
    desk = open_desk(keeps_alerted=True)
    token = desk.made("Data")["token"]
    body = {"budget_tokens": [token], "threshold": 75, "duration_in_days": ""}
    alert = desk.http.post("/budget_alerts", json=body).json()["token"]
    assert desk.http.delete(f"/budgets/{token}").status_code == 422
    desk.http.delete(f"/budget_alerts/{alert}")
    assert desk.http.delete(f"/budgets/{token}").status_code == 204


@pytest.mark.parametrize("missing", ["budget_tokens", "threshold", "duration_in_days"])
def test_an_alert_without_a_required_field_is_refused(desk, missing):
    body = {"budget_tokens": [], "threshold": 75, "duration_in_days": ""}
    del body[missing]
    assert desk.http.post("/budget_alerts", json=body).status_code == 400


# Listings


@pytest.mark.parametrize("switches", [{}, {"relative_links": True}, {"bare_links": True}])
def test_links_lead_through_all_pages(open_desk, switches):
    desk = open_desk(**switches)
    for number in range(5):
        desk.made(f"B{number}")
    if switches.get("relative_links"):
        page = desk.http.get("/budgets?page=1&limit=2").json()
        assert page["links"]["next"] == "/v2/budgets?page=2&limit=2"
    assert desk.names(2) == [f"B{number}" for number in range(5)]


def test_a_limit_above_the_largest_page_is_lowered_to_it(open_desk):
    desk = open_desk(largest_page=2)
    for number in range(3):
        desk.made(f"B{number}")
    assert len(desk.http.get("/budgets?limit=5000").json()["budgets"]) == 2


@pytest.mark.parametrize("query", ["page=0", "limit=0", "page=x"])
def test_a_page_that_is_no_number_is_refused(desk, query):
    assert desk.http.get(f"/budgets?{query}").status_code == 400


def test_listings_filter_by_name_and_workspace(open_desk):
    seed = {"budgets": [{"name": "Foreign data", "workspace_token": "wrkspc_other"}]}
    for desk, found in (
        (open_desk(seed=seed), 1),
        (open_desk(seed=seed, ignores_workspace=True), 2),
    ):
        desk.made("Data"), desk.made("Travel")
        params = {"q": "DATA", "workspace_token": WORKSPACE}
        assert len(desk.http.get("/budgets", params=params).json()["budgets"]) == found


def test_lean_answers_name_children_only_where_there_are_some(open_desk):
    child, parent = child_and_parent(open_desk(lean_answers=True))
    assert child in parent["child_budget_tokens"]
    assert "child_budget_tokens" not in open_desk(lean_answers=True).made("Data")


@pytest.mark.parametrize("lean", [True, False])
def test_answers_to_a_put_may_name_no_children(open_desk, lean):
    desk = open_desk(lean_writes=True, lean_answers=lean)
    child, parent = child_and_parent(desk)
    assert "child_budget_tokens" not in desk.put(child, name="Other").json()
    assert "child_budget_tokens" not in desk.put(parent["token"], name="Other").json()
    assert desk.http.get(f"/budgets/{parent['token']}").json()["child_budget_tokens"]


def test_coming_fields_may_be_there_already(open_desk):
    made = open_desk(coming_fields=True).made("Data")
    assert (made["type"], made["period_cadence"]["interval_unit"]) == ("cost", "month")


# Credentials, limits and faults


def test_a_wrong_token_and_none_at_all_are_401(open_desk):
    desk = open_desk("vntg_wrong")
    assert desk.http.get("/me").status_code == 401
    del desk.http.headers["Authorization"]
    assert desk.http.get("/me").json() == {"errors": ["Unauthorized"]}


def test_a_reader_may_not_write(open_desk):
    desk = open_desk("vntg_readonly")
    assert desk.http.get("/me").json()["bearer_token"]["scope"] == ["read"]
    assert desk.http.post("/budgets", json={"name": "D"}).status_code == 403


def test_me_names_the_workspace_with_its_currency(desk):
    (space,) = desk.http.get("/me").json()["workspaces"]
    assert (space["token"], space["currency"]) == (WORKSPACE, "USD")
    assert desk.http.get("/ping").status_code == 200


def test_every_answer_counts_the_calls_that_are_left(open_desk):
    desk = open_desk(rate_limit="2/1m")
    answers = [desk.http.get("/ping") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    left = [answer.headers["x-rate-limit-remaining"] for answer in answers]
    assert left == ["1", "0", "0"]
    assert 0 < int(answers[2].headers["x-rate-limit-reset"]) - time.time() <= 61
    assert "retry-after" not in answers[2].headers


def test_a_lost_answer_has_its_effect(desk):
    desk.served.faults.add("lost_answer", method="POST")
    with pytest.raises(httpx.RemoteProtocolError):
        desk.http.post("/budgets", json={"name": "Data"})
    assert desk.names(10) == ["Data"]


@pytest.mark.parametrize(("fault", "made"), [("error_before", []), ("error_after", ["Data"])])
def test_an_error_comes_before_or_after_the_effect(desk, fault, made):
    desk.served.faults.add(fault, method="POST")
    assert desk.http.post("/budgets", json={"name": "Data"}).status_code == 503
    assert desk.names(10) == made


def test_a_page_may_drift_and_a_link_may_repeat_itself(desk):
    for number in range(3):
        desk.made(f"B{number}")
    desk.served.faults.add("page_drift")
    assert desk.names(2) == ["B0", "B1", "B1", "B2"]
    desk.served.faults.add("repeat_cursor", times=-1)
    links = [desk.http.get(f"/budgets?page={page}&limit=2").json()["links"] for page in (1, 2)]
    assert links[0]["next"] == links[1]["next"]


def test_a_seed_and_a_file_bring_the_same_state_back(tmp_path, open_desk):
    file = tmp_path / "state.json"
    desk = open_desk(persist=file, seed={"budgets": [{"name": "Seeded"}]})
    desk.made("Made", periods=[MARCH])
    again = open_desk(persist=file)
    assert again.names(10) == ["Seeded", "Made"]
    assert again.made("Third")["token"] not in desk.served.state["budgets"].ids()

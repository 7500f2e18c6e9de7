"""The Kaireon sandbox over real HTTP: each rule of the page, each switch, each fault."""

import httpx
import pytest

from connectors.sandbox.__main__ import load
from connectors.sandbox.kaireon.api import KaireonSandbox

ROW = {"name": "March", "periodType": "monthly", "periodKey": "2026-03", "maxSpend": 5000}
ANSWERED = {
    "id", "name", "scope", "scopeId", "periodType", "periodKey", "maxImpressions", "maxSpend",
    "maxConversions", "tenantId", "createdAt",
}  # fmt: skip


@pytest.fixture
def http(tenant):
    return tenant.client()


def made(http, **said):
    answer = http.post("/budgets", json=ROW | said)
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(answer, status, code):
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["code"], error["status"]) == (code, status)
    return error["message"]


def keys(http, **params):
    return [row["periodKey"] for row in http.get("/budgets", params=params).json()["budgets"]]


# Reading


def test_it_is_found_by_its_name():
    assert load("kaireon") is KaireonSandbox


def test_a_new_tenant_has_no_rows(http):
    assert http.get("/budgets").json() == {"budgets": [], "count": 0}


def test_an_answer_has_the_documented_fields_and_defaults(http):
    row = made(http)
    assert row.keys() == ANSWERED
    assert (row["scope"], row["scopeId"], row["maxImpressions"]) == ("global", None, None)
    assert (row["tenantId"], row["createdAt"][-1]) == ("acme", "Z")
    assert http.get("/budgets").json() == {"budgets": [row], "count": 1}


def test_the_newest_row_comes_first_unless_switched(http, open_tenant):
    other = open_tenant(oldest_first=True).client()
    for each in (http, other):
        made(each)
        made(each, periodKey="2026-04")
    assert (keys(http), keys(other)) == (["2026-04", "2026-03"], ["2026-03", "2026-04"])


def test_a_listing_is_filtered_by_period_and_scope(http):
    made(http)
    made(http, periodKey="2026-04", scope="offer", scopeId="o1")
    assert keys(http, periodKey="2026-03") == ["2026-03"]
    assert keys(http, scope="offer") == ["2026-04"]
    assert keys(http, scope="offer", periodKey="2026-03") == []


def test_the_path_may_leave_out_the_version(tenant, http):
    assert httpx.get(f"{tenant.served.url}/budgets", headers=http.headers).status_code == 200


# Writing


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": "x" * 256},
        {"periodKey": None},
        {"scope": "galaxy"},
        {"scope": "offer"},
        {"periodType": "yearly"},
        {"maxSpend": None},
        {"maxSpend": -1},
        {"maxSpend": "5000"},
        {"maxImpressions": 1.5},
        {"color": "red"},
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(http, wrong):
    refused(http.post("/budgets", json=ROW | wrong), 400, "BAD_REQUEST")
    assert keys(http) == []


def test_a_put_changes_what_it_says_and_keeps_the_rest(http):
    row = made(http, maxImpressions=7)
    answer = http.put("/budgets", json={"id": row["id"], "maxSpend": 10.5})
    assert (answer.status_code, answer.json()) == (200, row | {"maxSpend": 10.5})


def test_a_put_needs_an_id_that_is_there(http):
    refused(http.put("/budgets", json={"maxSpend": 1}), 400, "BAD_REQUEST")
    refused(http.put("/budgets", json={"id": "clx_no", "maxSpend": 1}), 404, "NOT_FOUND")


def test_null_clears_a_limit_but_not_the_last(http):
    row = made(http, maxImpressions=7)
    answer = http.put("/budgets", json={"id": row["id"], "maxSpend": None})
    assert answer.json()["maxSpend"] is None
    refused(
        http.put("/budgets", json={"id": row["id"], "maxImpressions": None}), 400, "BAD_REQUEST"
    )


def test_a_delete_takes_the_id_in_the_query(http):
    row = made(http)
    answer = http.delete("/budgets", params={"id": row["id"]})
    assert (answer.status_code, answer.json(), keys(http)) == (200, {"success": True}, [])
    refused(http.delete("/budgets", params={"id": row["id"]}), 404, "NOT_FOUND")
    refused(http.delete("/budgets"), 404, "NOT_FOUND")


def test_a_body_must_be_json_and_say_so(http):
    assert http.post("/budgets", content=b"{}").status_code == 415
    said = {"Content-Type": "application/json"}
    for body in (b"{", b"[]"):
        refused(http.post("/budgets", content=body, headers=said), 400, "BAD_REQUEST")


def test_what_is_not_there_is_not_found(http):
    refused(http.get("/budgets/clx_1"), 404, "NOT_FOUND")
    assert http.patch("/budgets", json=ROW).status_code == 405


# Who may


@pytest.mark.parametrize(
    ("key", "statuses"),
    [
        ("krn_canary_7f21", (200, 201, 200, 200)),
        ("krn_editor", (200, 201, 200, 403)),
        ("krn_viewer", (200, 403, 403, 403)),
        ("krn_scim", (403, 403, 403, 403)),
        ("krn_wrong", (401, 401, 401, 401)),
    ],
)
def test_a_key_may_do_what_its_role_may(tenant, http, key, statuses):
    id, theirs = made(http)["id"], tenant.client(**{"x-api-key": key})
    assert statuses == (
        theirs.get("/budgets").status_code,
        theirs.post("/budgets", json=ROW).status_code,
        theirs.put("/budgets", json={"id": id, "maxSpend": 1}).status_code,
        theirs.delete("/budgets", params={"id": id}).status_code,
    )


def test_without_a_key_nothing_goes_unless_it_is_open(tenant, open_tenant):
    said = {"X-Tenant-Id": "acme"}
    refused(tenant.client(**said).get("/budgets"), 401, "UNAUTHORIZED")
    playground = open_tenant(open=True)
    assert playground.client(**said).post("/budgets", json=ROW).status_code == 201
    refused(playground.client(**{"X-Tenant-Id": "other"}).get("/budgets"), 403, "FORBIDDEN")


@pytest.mark.parametrize(("checks", "status"), [(False, 200), (True, 403)])
def test_a_wrong_tenant_header_is_ignored_unless_switched(open_tenant, checks, status):
    said = {"Authorization": "Bearer krn_canary_7f21", "X-Tenant-Id": "other"}
    assert open_tenant(checks_tenant=checks).client(**said).get("/budgets").status_code == status


# What no page says


def test_a_duplicate_is_made_unless_rows_are_unique(http, open_tenant):
    assert made(http)["id"] != made(http)["id"]
    strict = open_tenant(unique=True).client()
    made(strict)
    refused(strict.post("/budgets", json=ROW), 400, "BAD_REQUEST")


@pytest.mark.parametrize(("strict", "status"), [(False, 201), (True, 400)])
def test_a_key_need_not_be_of_its_type_unless_switched(open_tenant, strict, status):
    http = open_tenant(strict_keys=strict).client()
    body = {"name": "N", "periodKey": "2026-03", "maxSpend": 1}  # daily by default
    assert http.post("/budgets", json=body).status_code == status


def test_a_put_may_replace(open_tenant):
    http = open_tenant(put_replaces=True).client()
    row = made(http, maxImpressions=7)
    answer = http.put("/budgets", json={"id": row["id"], **ROW, "maxSpend": 1})
    assert answer.json() == row | {"maxSpend": 1, "maxImpressions": None}
    refused(http.put("/budgets", json={"id": row["id"], "maxSpend": 1}), 400, "BAD_REQUEST")


def test_a_put_may_refuse_null(open_tenant):
    http = open_tenant(null_clears=False).client()
    row = made(http, maxImpressions=7)
    refused(http.put("/budgets", json={"id": row["id"], "maxSpend": None}), 400, "BAD_REQUEST")


def test_a_limit_of_nothing_may_be_refused_and_a_fraction_dropped(open_tenant):
    http = open_tenant(zero=False, whole_money=True).client()
    refused(http.post("/budgets", json=ROW | {"maxImpressions": 0}), 400, "BAD_REQUEST")
    assert made(http, maxSpend=10.5)["maxSpend"] == 10


def test_a_write_may_need_the_header_of_a_page(open_tenant):
    http = open_tenant(wants_header=True).client()
    refused(http.post("/budgets", json=ROW), 403, "FORBIDDEN")
    http.headers["X-Requested-With"] = "XMLHttpRequest"
    assert http.post("/budgets", json=ROW).status_code == 201


@pytest.mark.parametrize(
    ("says", "status", "body"), [("success", 200, b'{"success":true}'), ("nothing", 204, b"")]
)
def test_a_put_may_answer_without_the_row(open_tenant, says, status, body):
    http = open_tenant(put_says=says).client()
    answer = http.put("/budgets", json={"id": made(http)["id"], "maxSpend": 1})
    assert (answer.status_code, answer.content) == (status, body)


def test_a_delete_may_be_answered_without_a_body(open_tenant):
    http = open_tenant(delete_is_204=True).client()
    assert http.delete("/budgets", params={"id": made(http)["id"]}).status_code == 204


def test_a_refusal_may_have_no_body(open_tenant):
    answer = open_tenant(empty_errors=True).client().post("/budgets", json={})
    assert (answer.status_code, answer.content) == (400, b"")


def test_a_listing_may_have_the_shape_of_others(open_tenant):
    http = open_tenant(shape="data").client()
    row = made(http)
    assert http.get("/budgets").json() == {"data": [row], "total": 1}


@pytest.mark.parametrize("name", ["nextCursor", "cursor"])
def test_a_listing_may_have_pages(open_tenant, name):
    http = open_tenant(shape=name, page_size=2).client()
    ids = [made(http)["id"] for _ in range(3)]
    first = http.get("/budgets").json()
    said = first["pagination"]
    assert (said["total"], said["hasMore"]) == (3, True)
    last = http.get("/budgets", params={"cursor": said[name]}).json()
    assert [row["id"] for row in first["data"] + last["data"]] == ids[::-1]
    assert last["pagination"] == {"total": 3, "hasMore": False, name: None}
    refused(http.get("/budgets", params={"cursor": "soon"}), 400, "BAD_REQUEST")


def test_a_listing_may_be_cut_without_a_word(open_tenant):
    http = open_tenant(most=1).client()
    made(http)
    made(http)
    answer = http.get("/budgets").json()
    assert (len(answer["budgets"]), answer["count"]) == (1, 2)


# Faults


def test_the_rate_is_limited_per_minute(open_tenant):
    tenant = open_tenant(rate_limit="2/1m")
    http = tenant.client()
    assert [http.get("/budgets").status_code for _ in range(3)] == [200, 200, 429]
    refused(http.get("/budgets"), 429, "RATE_LIMITED")


@pytest.mark.parametrize(
    ("kind", "status", "rows"),
    [
        ("error_before", 503, 0),
        ("error_after", 503, 1),
        ("rate_limit", 429, 0),
        ("unauthorized", 401, 0),
        ("garbage", 200, 1),
        ("cut", 201, 1),
    ],
)
def test_a_fault_strikes_once_before_or_after_its_effect(tenant, http, kind, status, rows):
    tenant.served.faults.add(kind)
    assert http.post("/budgets", json=ROW).status_code == status
    assert len(keys(http)) == rows


def test_a_lost_answer_was_done_all_the_same(tenant, http):
    tenant.served.faults.add("lost_answer")
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/budgets", json=ROW)
    assert keys(http) == ["2026-03"]


def test_pages_drift_and_repeat_on_demand(open_tenant):
    tenant = open_tenant(shape="cursor", page_size=1)
    http = tenant.client()
    made(http)
    made(http, periodKey="2026-04")
    tenant.served.faults.add("page_drift")
    last = http.get("/budgets", params={"cursor": "1"}).json()
    assert [row["periodKey"] for row in last["data"]] == ["2026-04"]
    tenant.served.faults.add("repeat_cursor", times=-1)
    for cursor in ("0", "1"):
        again = http.get("/budgets", params={"cursor": cursor}).json()
        assert again["pagination"]["cursor"] == "1"


def test_what_a_seed_leaves_out_is_filled_in(open_tenant):
    tenant = open_tenant(seed={"budgets": [ROW | {"id": "clx_seed"}]})
    (row,) = tenant.rows()
    assert (row.keys(), row["id"]) == (ANSWERED, "clx_seed")

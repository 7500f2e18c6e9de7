"""The sandbox answers as a running Odoo did, and where nobody knows, as one would not like it to."""

import json
from decimal import Decimal

import httpx
import pytest

from connectors.sandbox.odoo.wire import as_float
from tests.vendors.odoo.conftest import LINES, PASSWORD


def rpc(erp, service, method, *args):
    params = {"service": service, "method": method, "args": [*args]}
    body = {"jsonrpc": "2.0", "method": "call", "id": 7, "params": params}
    answer = httpx.post(f"{erp.served.url}/jsonrpc", json=body)
    assert answer.status_code == 200
    return answer


def execute(erp, model, method, args, named=None, password=PASSWORD):
    more = [] if named is None else [named]
    return rpc(erp, "object", "execute_kw", "sandbox", 2, password, model, method, args, *more)


def json2(erp, path, said, **headers):
    told = {"Authorization": f"bearer {PASSWORD}", **headers}
    return httpx.post(f"{erp.served.url}/json/2/{path}", json=said, headers=told)


def test_a_log_in_is_answered_with_a_user_or_with_false(erp):
    said = ("common", "authenticate", "sandbox", "trueup")
    assert rpc(erp, *said, PASSWORD, {}).json() == {"jsonrpc": "2.0", "id": 7, "result": 2}
    assert rpc(erp, *said, "wrong", {}).json()["result"] is False


def test_too_many_wrong_passwords_lock_the_right_one_out(opened):
    erp = opened(locks_after=2)
    for _ in range(2):
        rpc(erp, "common", "authenticate", "sandbox", "trueup", "wrong", {})
    answer = rpc(erp, "common", "authenticate", "sandbox", "trueup", PASSWORD, {}).json()
    assert answer["error"]["data"]["name"] == "odoo.exceptions.AccessDenied"


def test_an_unknown_database_is_an_error_of_its_own(erp):
    answer = rpc(erp, "common", "authenticate", "other", "trueup", PASSWORD, {}).json()
    assert answer["error"]["data"]["name"] == "psycopg2.OperationalError"


def test_records_have_false_for_unset_pairs_for_references_and_floats_with_a_point(erp):
    erp.plan(3, "-3033.40", "2026-03-01", "2026-03-31", id=900)
    fields = ["analytic_account_id", "general_budget_id", "planned_amount", "date_from"]
    answer = execute(erp, LINES, "search_read", [[["id", "=", 900]], fields])
    assert answer.json()["result"] == [
        {"id": 900, "analytic_account_id": [3, "Crèche"], "general_budget_id": False,
         "planned_amount": -3033.4, "date_from": "2026-03-01"}
    ]  # fmt: skip
    assert '"planned_amount":-3033.4,' in answer.text


@pytest.mark.parametrize(
    ("value", "text"),
    [("-3033.40", "-3033.4"), ("100", "100.0"), ("0.00", "0.0"), ("-0.005", "-0.005"),
     ("12345678901234567890.12", "12345678901234567890.12"), ("1E+3", "1000.0")],
)  # fmt: skip
def test_a_float_is_written_as_odoo_does_and_loses_no_digit(value, text):
    assert f"{as_float(Decimal(value)):f}" == text


def test_the_time_of_change_is_cut_to_seconds(erp):
    (row,) = execute(erp, LINES, "read", [[1], ["write_date"]]).json()["result"]
    assert len(row["write_date"]) == len("2026-03-15 12:00:00")


def test_an_unknown_id_reads_as_nothing(erp):
    assert execute(erp, LINES, "read", [[12345], ["planned_amount"]]).json()["result"] == []


@pytest.mark.parametrize(
    ("model", "method", "args", "name"),
    [
        ("nope", "search_count", [[]], "odoo.exceptions.UserError"),
        (LINES, "search_read", [[], ["nope"]], "builtins.ValueError"),
        (LINES, "search_count", [[["nope", "=", 1]]], "builtins.ValueError"),
        (LINES, "search_count", [["|", ["id", "=", 1]]], "builtins.ValueError"),
        (LINES, "unlink", [[1]], "builtins.AttributeError"),
        (LINES, "write", [[12345], {"planned_amount": 1}], "odoo.exceptions.MissingError"),
        (LINES, "write", [[1], {"planned_amount": "x"}], "builtins.ValueError"),
        (LINES, "write", [[1], {"nope": 1}], "builtins.ValueError"),
        (LINES, "write", [1, {"planned_amount": 1}], "builtins.TypeError"),
        ("res.company", "write", [[1], {}], "odoo.exceptions.AccessError"),
    ],
)
def test_errors_come_with_status_200_and_the_name_of_their_exception(
    erp, model, method, args, name
):
    before = erp.rows(LINES)
    assert execute(erp, model, method, args).json()["error"]["data"]["name"] == name
    assert erp.rows(LINES) == before


def test_all_or_none_of_the_records_are_written(erp):
    before = erp.rows(LINES)
    execute(erp, LINES, "write", [[1, 12345], {"planned_amount": 1}])
    assert erp.rows(LINES) == before


@pytest.mark.parametrize(
    ("says", "rest"), [("true", {"result": True}), ("false", {"result": False}), ("nothing", {})]
)
def test_a_method_that_returns_nothing_has_no_result(opened, says, rest):
    erp = opened(write_says=says)
    answer = execute(erp, LINES, "write", [[1], {"planned_amount": -1.5}])
    assert answer.json() == {"jsonrpc": "2.0", "id": 7, **rest}
    assert erp.served.state[LINES].get(1)["planned_amount"] == Decimal("-1.5")


def test_companies_that_are_not_the_users_are_refused_in_a_context_and_hidden_without(erp):
    context = {"context": {"allowed_company_ids": [9]}}
    answer = execute(erp, LINES, "search_count", [[]], context).json()
    assert answer["error"]["data"]["name"] == "odoo.exceptions.AccessError"
    erp.put("res.users", id=2, company_ids=[])
    assert execute(erp, LINES, "search_count", [[]], {}).json()["result"] == 0


def test_archived_records_are_shown_to_who_asks_for_them(erp):
    erp.put("account.analytic.account", id=2, active=False)
    asked = ("account.analytic.account", "search_count", [[]])
    assert execute(erp, *asked, {}).json()["result"] == 2
    assert execute(erp, *asked, {"context": {"active_test": False}}).json()["result"] == 3


def test_json_2_is_there_from_19_on(opened, erp):
    assert json2(erp, "res.users/context_get", {}).status_code == 404
    assert json2(opened(version=19), "res.users/context_get", {}).json()["uid"] == 2


@pytest.mark.parametrize(
    ("path", "said", "headers", "status"),
    [
        (f"{LINES}/search_count", {"domain": []}, {"Authorization": "bearer wrong"}, 401),
        (f"{LINES}/search_count", {"domain": []}, {"X-Odoo-Database": "other"}, 404),
        ("nope/search_count", {"domain": []}, {}, 404),
        (f"{LINES}/write", {"ids": [12345], "vals": {}}, {}, 404),
        (f"{LINES}/search_read", {"fields": ["nope"]}, {}, 500),
        (f"{LINES}/search_count", {"what": 1}, {}, 500),
        (f"{LINES}/search_count", [], {}, 400),
    ],
)
def test_json_2_has_statuses(opened, path, said, headers, status):
    answer = json2(opened(version=19), path, said, **headers)
    assert answer.status_code == status


def test_rights_of_reading_alone_are_not_those_of_writing(opened):
    erp = opened(version=19, rights="read")
    assert json2(erp, f"{LINES}/search_count", {"domain": []}).json() == 48
    assert json2(erp, f"{LINES}/write", {"ids": [1], "vals": {}}).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"jsonrpc":"2.0"}',
        b'{"jsonrpc":"1.0","method":"call","id":1,"params":{"service":"common","method":"version","args":[]}}',
    ],
)
def test_what_is_no_call_is_refused(erp, body):
    answer = httpx.post(f"{erp.served.url}/jsonrpc", content=body)
    assert answer.status_code == 400


def test_calls_are_logged_as_what_they_do_and_never_with_a_password(erp):
    execute(erp, LINES, "search_count", [[]])
    execute(erp, LINES, "write", [[1], {"planned_amount": 1}])
    log = erp.served.log
    assert [(each["method"], each["path"].rpartition("/")[2]) for each in log] == [
        ("GET", "search_count"),
        ("POST", "write"),
    ]
    assert PASSWORD not in json.dumps(log)


def test_somebody_can_be_told_to_change_an_amount(erp):
    control = f"{erp.served.url}/_sandbox/plan"
    httpx.post(control, json={"line": 1, "amount": "-5.50"}).raise_for_status()
    assert erp.served.state[LINES].get(1)["planned_amount"] == Decimal("-5.50")
    assert httpx.post(control, json={"line": 9999, "amount": "1"}).status_code == 400


def test_what_it_holds_is_kept_in_a_file(tmp_path, erp):
    from connectors.sandbox.odoo.api import OdooSandbox

    first = OdooSandbox(persist=tmp_path / "odoo.json", year=2026)
    first.state[LINES].put(first.state[LINES].get(1) | {"planned_amount": Decimal("-7.25")})
    first.state.save()
    again = OdooSandbox(persist=tmp_path / "odoo.json", year=2030)
    assert again.state.records() == first.state.records()

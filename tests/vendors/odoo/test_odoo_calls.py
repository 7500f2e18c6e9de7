"""What an Odoo is sent, to the letter, and what its refusals become; no server is needed."""

import json
import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    RateLimited,
    Rejected,
    Stale,
    Transient,
    Unauthorized,
    Uncertain,
    Unreadable,
    Unsupported,
)
from connectors.contract.records import Draft
from connectors.contract.settings import HttpSettings
from connectors.odoo.connector import Odoo
from connectors.odoo.declared import OdooSettings
from tests.vendors.script import one_day

pytestmark = pytest.mark.respx(assert_all_called=False, assert_all_mocked=True)

ROOT = Path(__file__).parents[3]
URL = "https://erp.example.com"
LINES = "crossovered.budget.lines"
SPAN = {"date_from": "2026-03-01", "date_to": "2026-03-31"}
ACCOUNT = {"id": 7, "code": "0110", "name": "Sales", "active": True}
ROWS = {
    "res.users": [{"id": 2, "company_ids": [1]}],
    "res.company": [{"id": 1, "name": "Acme", "currency_id": [1, "USD"]}],
    "res.currency": [{"id": 1, "name": "USD", "rounding": 0.01}],
    "account.analytic.account": [ACCOUNT],
    "crossovered.budget": [{"id": 4, "name": "2026", "state": "validate"}],
    LINES: [
        {
            "id": 9,
            "crossovered_budget_id": [4, "2026"],
            "analytic_account_id": [7, "[0110] Sales"],
            "general_budget_id": False,
            "planned_amount": -3033.4,
            **SPAN,
        }
    ],
}
FIELDS = ["crossovered_budget_id", "analytic_account_id", "general_budget_id", "date_from",
          "date_to", "planned_amount"]  # fmt: skip
SAME, NOTHING = object(), object()


def error(name, message="", **more):
    data = {"name": name, "message": message, "debug": "Traceback"}
    return {"error": {"code": 200, "message": "Odoo Server Error", "data": data, **more}}


class Wire:
    """Answers as an Odoo does, with these rows; `said` are answers by model and method that come
    first: statuses, whole envelopes, or exceptions."""

    def __init__(self, router):
        self.said, self.calls, self.requests = {}, [], []
        self.rows = json.loads(json.dumps(ROWS))
        router.route().side_effect = self.answer

    def answer(self, request):
        self.requests.append(request)
        body = json.loads(request.content, parse_float=Decimal)
        if request.url.path.startswith("/json/2/"):
            model, method = request.url.path.removeprefix("/json/2/").split("/")
            ids, said = body.pop("ids", None), body
        else:
            model, method, ids, said = "", body["params"]["method"], None, {}
            if method == "execute_kw":
                _, _, _, model, method, given, _ = body["params"]["args"]
                ids, said = self.by_name(method, given)
        self.calls.append((f"{model}.{method}", ids, said))
        queue = self.said.get(f"{model}.{method}", [])
        found = queue.pop(0) if queue else SAME
        if isinstance(found, Exception):
            raise found
        if isinstance(found, int):
            return httpx.Response(found, text="<!doctype html>")
        if isinstance(found, httpx.Response):
            return found
        if found is not SAME:
            return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, **found})
        value = self.usual(model, method, ids, said)
        bare = request.url.path.startswith("/json/2/")
        return httpx.Response(200, json=value if bare else {"id": 1, "result": value})

    @staticmethod
    def by_name(method, given):
        names = {"search_read": ["domain", "fields", "offset", "limit", "order"],
                 "search_count": ["domain"], "fields_get": ["allfields", "attributes"],
                 "read": ["ids", "fields"], "write": ["ids", "vals"]}[method]  # fmt: skip
        said = dict(zip(names, given, strict=False))
        return said.pop("ids", None), said

    def usual(self, model, method, ids, said):
        rows = self.rows.get(model, [])
        match method:
            case "authenticate":
                return 2
            case "context_get":
                return {"uid": 2, "lang": "en_US"}
            case "fields_get" if model == LINES:
                post = {"relation": "account.budget.post"}
                return {name: post if name.startswith("general") else {} for name in FIELDS}
            case "fields_get":
                return {}
            case "search_count":
                return len(rows)
            case "search_read":
                last = said["domain"][-1][2]
                return [row for row in rows if row["id"] > last][: said["limit"]]
            case "read":
                return [row for row in rows if row["id"] in ids]
        for row in rows:
            if row["id"] in ids:
                row.update({name: float(value) for name, value in said["vals"].items()})
        return True

    def sent(self, name):
        return [(ids, said) for method, ids, said in self.calls if method == name]


@pytest.fixture
def wire(respx_mock):
    return Wire(respx_mock)


def connector(**said):
    pair = {} if "key" in said else {"login": "ada", "password": "canary"}
    settings = {"connector": "odoo", "base_url": URL, "database": "erp", **pair}
    return Odoo("erp", OdooSettings.model_validate(settings | said), one_day())


def listed(it):
    (page,) = it.list(Kind.BUDGET)
    return page.items


def draft(amount, **said):
    span = {"start": date(2026, 3, 1), "end": date(2026, 3, 31), "cadence": Cadence.MONTHLY}
    model = Budget(ref="0110", name="Sales", amount=Amount.of(amount, "USD"), **span | said)
    return Draft(model=model)


def test_the_calls_of_json_rpc_are_what_a_running_16_0_answered(wire):
    with connector() as it:
        listed(it)
    bodies = [json.loads(each.content) for each in wire.requests]
    assert {each.url.path for each in wire.requests} == {"/jsonrpc"}
    assert bodies[0] == {
        "jsonrpc": "2.0",
        "method": "call",
        "id": 1,
        "params": {
            "service": "common",
            "method": "authenticate",
            "args": ["erp", "ada", "canary", {}],
        },
    }
    (lines,) = [each for each in bodies if each["params"]["args"][3:5] == [LINES, "search_read"]]
    domain = [["crossovered_budget_id", "in", [4]], ["id", ">", 0]]
    fields = ["crossovered_budget_id", "analytic_account_id", "general_budget_id", "date_from",
              "date_to", "planned_amount"]  # fmt: skip
    assert lines["params"] == {
        "service": "object",
        "method": "execute_kw",
        "args": ["erp", 2, "canary", LINES, "search_read", [domain, fields, 0, 1000, "id asc"], {}],
    }


def test_the_calls_of_json_2_name_their_arguments(wire):
    with connector(key="canary") as it:
        listed(it)
        it.update("0110", draft("120.50"), {"amount"}, "k")
    heads = {
        (each.headers["authorization"], each.headers["x-odoo-database"]) for each in wire.requests
    }
    assert heads == {("bearer canary", "erp")}
    bodies = {each.url.path: json.loads(each.content, parse_float=str) for each in wire.requests}
    assert bodies[f"/json/2/{LINES}/write"] == {"ids": [9], "vals": {"planned_amount": "-120.50"}}
    assert bodies["/json/2/res.users/read"] == {"ids": [2], "fields": ["company_ids"]}
    assert set(bodies[f"/json/2/{LINES}/search_read"]) == {
        "domain", "fields", "offset", "limit", "order",
    }  # fmt: skip


def test_archived_accounts_are_asked_for(wire):
    with connector(key="canary") as it:
        listed(it)
    bodies = [json.loads(each.content) for each in wire.requests if "analytic" in each.url.path]
    assert {str(each["context"]) for each in bodies} == {"{'active_test': False}"}


def test_an_amount_is_written_with_its_digits_and_read_again(wire):
    with connector() as it:
        assert listed(it)[0].model.amount == Amount.of("3033.40", "USD")
        found = it.update("0110", draft("120.50"), {"amount"}, "k")
    assert wire.sent(f"{LINES}.write") == [([9], {"vals": {"planned_amount": Decimal("-120.50")}})]
    assert found.model.amount == Amount.of("120.50", "USD")


def test_a_reference_without_a_name_is_one_all_the_same(wire):
    wire.rows[LINES][0] |= {"analytic_account_id": [7, False], "general_budget_id": [3, False]}
    with connector() as it:
        assert [each.id for each in listed(it)] == ["0110"]
        (page,) = it.list(Kind.ALLOCATION)
    assert [each.model.entity.id for each in page.items] == ["account.budget.post,3"]


@pytest.mark.parametrize("account", [[True, "x"], True, "x", [], [7.5, "x"], None])
def test_an_account_that_is_no_reference_may_be_any(wire, account):
    wire.rows["account.analytic.account"].append({**ACCOUNT, "id": 1, "code": "0001"})
    wire.rows[LINES][0]["analytic_account_id"] = account
    with connector() as it:
        (page,) = it.list(Kind.BUDGET)
        assert ([*page.items], [each.ref for each in page.problems]) == ([], [None])
        with pytest.raises(Malformed):
            it.get(Kind.BUDGET, "0110")


def test_what_is_as_wanted_is_not_written(wire):
    with connector() as it:
        listed(it)
        it.update("0110", draft("3033.4"), {"amount"}, "k")
    assert wire.sent(f"{LINES}.write") == []


# -- credentials ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [{"result": False}, error("odoo.exceptions.AccessDenied", "Access Denied"), 401],
)
def test_a_wrong_password_is_sent_once_and_not_again(wire, answer):
    wire.said[".authenticate"] = [answer] * 9
    with connector() as it:
        for _ in range(3):
            with pytest.raises(Unauthorized):
                it.check()
    assert len(wire.requests) == 1


def test_a_password_that_is_wrong_by_now_is_not_sent_again(wire):
    wire.said["res.users.read"] = [error("odoo.exceptions.AccessDenied", "Access Denied")] * 9
    with connector() as it:
        for _ in range(3):
            with pytest.raises(Unauthorized, match="login and password"):
                it.check()
    assert len(wire.sent("res.users.read")) == 1


@pytest.mark.parametrize(
    "answer", [{"result": True}, {"result": None}, {"result": 0}, {"result": "2"}, {}]
)
def test_a_log_in_without_a_user_is_malformed(wire, answer):
    wire.said[".authenticate"] = [answer]
    with connector() as it, pytest.raises(Malformed, match="no user"):
        it.check()


def test_a_database_that_is_not_there_is_named(wire):
    said = 'FATAL:  database "erp" does not exist'
    wire.said[".authenticate"] = [error("psycopg2.OperationalError", said)]
    with connector() as it, pytest.raises(Unreadable, match=r"database 'erp' cannot be.*Check the"):
        it.check()


@pytest.mark.parametrize(
    ("said", "method", "words"),
    [
        ({}, ".authenticate", "no JSON-RPC answers here.*takes a key"),
        ({"key": "k"}, "res.users.context_get", "no JSON-2 answers here.*login and password"),
    ],
)
def test_an_address_where_no_such_odoo_answers_is_told(wire, said, method, words):
    wire.said[method] = [404]
    with connector(**said) as it, pytest.raises(Unreadable, match=words):
        it.check()


def test_no_error_shows_the_password(wire):
    wire.said["res.users.read"] = [error("odoo.exceptions.UserError", "wrong: canary\x07, CANARY")]
    with connector() as it, pytest.raises(Rejected) as caught:
        it.check()
    assert "canary" not in str(caught.value).lower()
    assert caught.value.message == "wrong: *** , ***"


# -- refusals of reads ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error("odoo.exceptions.AccessError", "You are not allowed to access"), Forbidden),
        (error("odoo.exceptions.UserError", "No"), Rejected),
        (error("odoo.exceptions.ValidationError", "No"), Rejected),
        (error("builtins.ValueError", "Invalid field 'x'"), Malformed),
        (error("psycopg2.errors.SerializationFailure", "could not serialize"), Transient),
        (error("odoo.exceptions.MissingError", "gone"), Malformed),
        ({"error": {}}, Malformed),
        ({"error": "trouble"}, Malformed),
        ({"error": {"data": {"name": 5, "message": ["x"]}}}, Malformed),
        ({}, Malformed),
        ({"result": False}, Malformed),
        (403, Forbidden),
        (404, Unreadable),
        (429, RateLimited),
        (503, Transient),
    ],
)
def test_what_a_refusal_of_a_read_becomes(wire, answer, kind):
    wire.said["res.users.read"] = [answer] * 6
    with connector() as it, pytest.raises(kind):
        it.check()


@pytest.mark.parametrize("method", ["crossovered.budget.search_read", f"{LINES}.search_count",
    f"{LINES}.search_read", "res.company.search_read"])  # fmt: skip
@pytest.mark.parametrize("value", [False, None, True, {}, "x"])
def test_what_is_no_list_or_number_is_never_empty(wire, method, value):
    wire.said[method] = [{"result": value}]
    with connector() as it, pytest.raises(Malformed):
        listed(it)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthorized), (403, Forbidden), (404, Malformed), (422, Rejected), (500, Transient)],
)
def test_the_statuses_of_json_2_are_believed(wire, status, kind):
    body = {"name": "odoo.exceptions.X", "message": "said so", "arguments": [], "context": {}}
    wire.said["res.users.read"] = [httpx.Response(status, json=body)] * 6
    with connector(key="k") as it, pytest.raises(kind, match="said so"):
        it.check()


def test_an_amount_as_false_is_no_zero(wire):
    wire.rows[LINES][0]["planned_amount"] = False
    with connector() as it:
        (page,) = it.list(Kind.BUDGET)
    assert (page.items, [each.ref for each in page.problems]) == ([], ["0110"])


@pytest.mark.parametrize("digits", ["-3033.4000000000001", "-1e-05", "-123456789012345.68", "-0.1"])
def test_no_digit_of_an_amount_is_lost(respx_mock, digits):
    wire = Wire(respx_mock)
    usual = wire.answer

    def exact(request):
        found = usual(request)
        return httpx.Response(200, text=found.text.replace("-3033.4", digits),
                              headers={"content-type": "application/json"})  # fmt: skip

    respx_mock.route().side_effect = exact
    with connector() as it:
        assert listed(it)[0].model.amount.value == -Decimal(digits)


@pytest.mark.parametrize("digits", ["-1e999", "NaN", "-1" + "0" * 60])
def test_an_amount_beyond_reckoning_is_one_accounts_fault(respx_mock, digits):
    wire = Wire(respx_mock)
    usual = wire.answer

    def absurd(request):
        found = usual(request)
        return httpx.Response(200, text=found.text.replace("-3033.4", digits),
                              headers={"content-type": "application/json"})  # fmt: skip

    respx_mock.route().side_effect = absurd
    with connector() as it:
        try:
            (page,) = it.list(Kind.BUDGET)
        except Malformed:
            return  # where it is no JSON at all
        assert (page.items, [each.ref for each in page.problems]) == ([], ["0110"])


# -- writes --------------------------------------------------------------------------------------


def written(wire, *answers, **said):
    wire.said[f"{LINES}.write"] = list(answers)
    with connector(**said) as it:
        listed(it)
        return it.update("0110", draft("120.50"), {"amount"}, "k")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error("odoo.exceptions.UserError", "No"), Rejected),
        (error("odoo.exceptions.ValidationError", "No"), Rejected),
        (error("odoo.exceptions.AccessError", "You are not allowed to modify"), Forbidden),
        (error("odoo.exceptions.AccessDenied", "No"), Unauthorized),
        (error("odoo.exceptions.MissingError", "gone"), Stale),
        (error("psycopg2.errors.SerializationFailure", "could not serialize"), Transient),
    ],
)
def test_what_odoo_refuses_was_not_done(wire, answer, kind):
    with pytest.raises(kind):
        written(wire, answer)
    assert len(wire.sent(f"{LINES}.write")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        error("builtins.KeyError", "x"),
        error("", ""),
        {"error": "trouble"},
        {"result": False},
        {"result": 7},
        500,
        504,
        httpx.ReadError("cut"),
    ],
)
def test_a_write_of_which_nobody_knows_is_uncertain_and_sent_once(wire, answer):
    with pytest.raises(Uncertain):
        written(wire, answer)
    assert len(wire.sent(f"{LINES}.write")) == 1


@pytest.mark.parametrize("answer", [{}, {"result": None}, {"result": True}])
def test_a_write_that_returns_nothing_is_believed_after_a_look(wire, answer):
    usual = wire.usual

    def done(model, method, ids, said):
        return usual(model, method, ids, said)

    wire.said[f"{LINES}.write"] = [answer]
    with connector() as it:
        listed(it)
        done(LINES, "write", [9], {"vals": {"planned_amount": Decimal("-120.5")}})
        with pytest.raises(Stale):
            it.update("0110", draft("120.50"), {"amount"}, "k")
        listed(it)
        assert it.update("0110", draft("77"), {"amount"}, "k").model.amount.value == Decimal(
            "120.5"
        )


def test_a_write_that_had_to_wait_is_sent_again(wire):
    assert written(wire, 429).model.amount == Amount.of("120.50", "USD")
    assert len(wire.sent(f"{LINES}.write")) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, Forbidden), (404, Stale), (422, Rejected), (500, Uncertain)],
)
def test_what_json_2_says_of_a_write(wire, status, kind):
    with pytest.raises(kind):
        written(wire, httpx.Response(status, json={"name": "x", "message": "y"}), key="k")


def test_what_was_changed_since_it_was_listed_is_stale_and_nothing_is_sent(wire):
    with connector() as it:
        listed(it)
        wire.rows[LINES][0]["planned_amount"] = -7.0
        with pytest.raises(Stale, match="others by now"):
            it.update("0110", draft("120.50"), {"amount"}, "k")
    assert wire.sent(f"{LINES}.write") == []


def april(wire):
    span = {"date_from": "2026-04-01", "date_to": "2026-04-30"}
    wire.rows[LINES].append(wire.rows[LINES][0] | {"id": 10, **span})
    periods = (
        Period(date(2026, 3, 1), date(2026, 3, 31)),
        Period(date(2026, 4, 1), date(2026, 4, 30)),
    )
    phases = [Phase(each, Amount.of(n, "USD")) for n, each in enumerate(periods, 1)]
    return draft("1", phases=tuple(phases), end=date(2026, 4, 30))


def test_lines_of_one_amount_go_together(wire):
    both = april(wire)
    with connector() as it:
        listed(it)
        it.update("0110", draft("5", end=date(2026, 4, 30)), {"amount"}, "k")
        assert [ids for ids, _ in wire.sent(f"{LINES}.write")] == [[9, 10]]
        it.update("0110", both, {"phases"}, "k")
    assert [ids for ids, _ in wire.sent(f"{LINES}.write")] == [[9, 10], [9], [10]]


def test_a_second_amount_that_is_refused_leaves_the_operation_uncertain(wire):
    both = april(wire)
    wire.said[f"{LINES}.write"] = [SAME, error("odoo.exceptions.UserError", "No")]
    with connector() as it:
        listed(it)
        with pytest.raises(Uncertain, match="one call had been done"):
            it.update("0110", both, {"phases"}, "k")


def test_a_sum_is_not_written(wire):
    wire.rows[LINES].append(wire.rows[LINES][0] | {"id": 10})
    with connector() as it:
        listed(it)
        with pytest.raises(Rejected, match="sum of 2 lines"):
            it.update("0110", draft("1"), {"amount"}, "k")
    assert wire.sent(f"{LINES}.write") == []


@pytest.mark.parametrize("fields", [{"name"}, {"amount", "status"}])
def test_fields_other_than_amounts_are_not_sent(wire, fields):
    with connector() as it, pytest.raises(Unsupported):
        it.update("0110", draft("1"), fields, "k")
    assert wire.requests == []


def test_allocations_are_not_written(wire):
    share = Allocation(ref="x", budget="0110", entity=Entity("account", "Office"), amount=None)
    with connector() as it:
        for write in (lambda: it.update("0110/x", Draft(model=share), {"amount"}, "k"),
                      lambda: it.create(Draft(model=share), "k")):  # fmt: skip
            with pytest.raises(Unsupported):
                write()
        _, (loss,) = it.fit(share)
    assert (loss.name, wire.requests) == ("blocked:amount", [])


# -- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"key": "k", "login": "ada", "password": "p"},
        {"password": None},
        {"login": None, "password": None},
        {"database": "a/b"},
        {"sign": 0},
        {"budget_model": "budget.budget"},
        {"account_field": "x; drop"},
        {"names": [""]},
    ],
)
def test_settings_that_do_not_fit_together_are_refused(said):
    with pytest.raises(ValidationError):
        connector(**said)


def test_the_settings_of_the_documentation_are_those_there_are():
    text = (ROOT / "docs/erp.md").read_text(encoding="utf-8")
    text = text[text.index("## Odoo") :]
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    said = tomllib.loads(example[1])["systems"]["erp"]
    assert OdooSettings.model_validate(said).names == ("Budget 2026*",)
    for name in OdooSettings.model_fields.keys() - HttpSettings.model_fields.keys():
        assert f"`{name}" in text or f"\n{name} = " in text or f"or {name} = " in text, name

"""What a Tryton is sent, version by version, and what its refusals become; no server is needed."""

import json
import re
import tomllib
from base64 import b64decode
from datetime import date
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence, Period
from canonical.spent import Spent
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    RateLimited,
    Rejected,
    Stale,
    Transient,
    Unauthorized,
    Uncertain,
    Unsupported,
)
from connectors.contract.records import Draft, Keeping
from connectors.contract.settings import HttpSettings
from connectors.tryton.connector import Tryton
from connectors.tryton.declared import TrytonSettings
from tests.vendors.script import one_day

pytestmark = pytest.mark.respx(assert_all_called=False, assert_all_mocked=True)

ROOT = Path(__file__).parents[3]
URL = "https://erp.example.com"
ROWS = {
    "company.company": [{"id": 1, "rec_name": "Acme", "currency.": {"id": 1, "code": "USD"}}],
    "analytic_account.budget": [
        {
            "id": 4,
            "name": "2026-03",
            "start_date": {"__class__": "date", "year": 2026, "month": 3, "day": 1},
            "end_date": {"__class__": "date", "year": 2026, "month": 3, "day": 31},
            "root.": {"id": 1, "code": "CC", "name": "Cost centres"},
        }
    ],
    "analytic_account.budget.line": [
        {
            "id": 9,
            "budget": 4,
            "name": None,
            "amount": {"__class__": "Decimal", "decimal": "-100.00"},
            "_timestamp": "1795297639.62721",
            "account.": {"id": 7, "code": "CC1", "name": "Sales", "active": 1, "state": "opened"},
        }
    ],
}
SAME = object()


class Wire:
    """Answers as a Tryton of `version` does, with these rows; `said` are answers by method that
    come first, statuses or errors."""

    def __init__(self, router, version="8.2"):
        self.said, self.calls, self.paths = {}, [], []
        self.rows = json.loads(json.dumps(ROWS))
        self._new = version.startswith("8")
        router.route().side_effect = self.answer

    def answer(self, request):
        body = json.loads(request.content)
        method, path = body["method"], request.url.path
        self.calls.append((method, body["params"]))
        self.paths.append(path)
        assert set(body) == {"id", "method", "params"}
        if path != ("/erp/rpc/" if self._new else "/erp/") and method != "common.server.version":
            return httpx.Response(404)
        if method == "common.server.version":
            there = path == ("/rpc/" if self._new else "/")
            return self.result("x") if there else httpx.Response(401 if path == "/rpc/" else 405)
        queue = self.said.get(method.removeprefix("model."), [])
        answer = queue.pop(0) if queue else SAME
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer, text="<!doctype html>")
        if answer is not SAME:
            return httpx.Response(200, json={"id": 1, "error": answer})
        return self.result(self.usual(method, body["params"]))

    def usual(self, method, params):
        if method == "common.db.login":
            return [2, "token-canary"]
        if method.startswith("common."):
            return None
        _, _, rest = method.partition("model.")
        model, _, verb = rest.rpartition(".")
        match verb:
            case "get_preferences":
                return {"companies": [1], "company": 1, "company_filter": "one"}
            case "search_count":
                return len(self.rows[model])
            case "search_read":
                last = params[0][-1][2]
                return [row for row in self.rows[model] if row["id"] > last][: params[2]]
        for ids, values in zip(params[:-1:2], params[1:-1:2], strict=True):
            next(row for row in self.rows[model] if [row["id"]] == ids).update(values)
        return None

    def result(self, value):
        return httpx.Response(200, json={"id": 1, "result": value})

    def sent(self, verb):
        return [params for method, params in self.calls if method.endswith(verb)]


@pytest.fixture
def wire(respx_mock):
    return Wire(respx_mock)


def connector(**said):
    settings = {
        "connector": "tryton", "base_url": URL, "database": "erp", "login": "ada",
        "password": "canary",
    }  # fmt: skip
    return Tryton("erp", TrytonSettings.model_validate(settings | said), one_day())


def spent(ref, amount):
    return Spent(
        system="brex", sync="s", kind=Kind.BUDGET, ref=ref, budget_ref=None, name=ref,
        target_id="1", above=None, status=Status.ACTIVE, amount=None,
        spent=Amount.of(amount, "USD"), pending=None, remaining=None, at=None,
        period=Period(date(2026, 3, 1), date(2026, 3, 31)),
    )  # fmt: skip


def listed(it):
    (page,) = it.list(Kind.BUDGET)
    return page.items


def draft(amount, **said):
    span = {"start": date(2026, 3, 1), "end": date(2026, 3, 31), "cadence": Cadence.MONTHLY}
    model = Budget(ref="CC1", name="Sales", amount=Amount.of(amount, "USD"), **span | said)
    return Draft(model=model)


@pytest.mark.parametrize(
    ("version", "path"), [("8.2", "/erp/rpc/"), ("7.8", "/erp/"), ("6.0", "/erp/")]
)
def test_the_path_is_that_of_the_servers_version(respx_mock, version, path):
    wire = Wire(respx_mock, version)
    with connector() as it:
        assert listed(it)[0].id == "CC1"
    assert set(wire.paths) - {"/rpc/", "/"} == {path}


def test_a_session_goes_with_each_call_and_its_context_is_empty(wire, respx_mock):
    with connector() as it:
        it.check()
    request = respx_mock.calls[3].request
    kind, _, value = request.headers["Authorization"].partition(" ")
    assert (kind, b64decode(value)) == ("Session", b"ada:2:token-canary")
    assert wire.sent("get_preferences") == [[False, {}]]
    assert "gzip" in request.headers["Accept-Encoding"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (401, Unauthorized),
        (429, RateLimited),
        (["LoginException", ["code", "Code", "char"]], Unauthorized),
    ],
)
def test_a_log_in_that_was_refused_is_not_sent_again(wire, answer, error):
    wire.said["common.db.login"] = [answer]
    with connector() as it:
        for _ in range(3):
            with pytest.raises(error):
                it.check()
    assert len(wire.sent("db.login")) == 1


def test_a_server_that_could_not_answer_a_log_in_is_asked_again(wire):
    wire.said["common.db.login"] = [502] * 6
    with connector() as it:
        with pytest.raises(Transient):
            it.check()
        assert it.check().identity == "Acme, database erp"


def test_an_amount_is_written_as_it_was_read_and_no_other(wire):
    with connector() as it:
        listed(it)
        found = it.update("CC1", draft("120.50"), {"amount"}, "k")
    assert wire.sent(".write") == [
        [
            [9],
            {"amount": {"__class__": "Decimal", "decimal": "-120.50"}},
            {"_timestamp": {"analytic_account.budget.line,9": "1795297639.62721"}},
        ]
    ]
    assert found.model.amount == Amount.of("120.50", "USD")


def written(wire, *answers):
    wire.said["analytic_account.budget.line.write"] = list(answers)
    with connector() as it:
        listed(it)
        return it.update("CC1", draft("120.50"), {"amount"}, "k")


BUDGETS, LINES = "analytic_account.budget", "analytic_account.budget.line"


def keeping(wire, *lines):
    """A budget of actuals with those lines beside the one that is read, which has two."""
    (budget,), (line,) = ROWS[BUDGETS], ROWS[LINES]
    other = line["account."] | {"id": 8, "code": "CC2"}
    planned = [line, line | {"id": 10, "account.": other}]
    wire.rows[BUDGETS] = [budget, budget | {"id": 5, "name": "Actuals"}]
    wire.rows[LINES] = [
        *planned,
        *(planned[n] | {"id": 11 + n, "budget": 5} for n in lines),
    ]
    usual = wire.usual

    def of_the_budget(method, params):
        if method.endswith(f"{LINES}.create"):
            return [20]
        if f"{LINES}.search" not in method:
            return usual(method, params)
        ids = params[0][0][2]
        found = [row for row in wire.rows[LINES] if row["budget"] in ids]
        return len(found) if method.endswith("count") else found

    wire.usual = of_the_budget
    return connector(names=["2026-*"], actuals_budget="Actuals", make_actuals_lines=True)


def test_what_was_spent_is_written_as_its_line_was_read_or_in_a_new_one(wire):
    with keeping(wire, 0) as it:
        found = it.record_actuals([spent("CC1", "120.50"), spent("CC2", "7")])
    assert [each.outcome for each in found] == [Keeping.WRITTEN] * 2
    assert wire.sent(".write") == [
        [
            [11],
            {"amount": {"__class__": "Decimal", "decimal": "-120.50"}},
            {"_timestamp": {"analytic_account.budget.line,11": "1795297639.62721"}},
        ]
    ]
    amount = {"__class__": "Decimal", "decimal": "-7.00"}
    assert wire.sent(".create") == [[[{"budget": 5, "account": 8, "amount": amount}], {}]]


def test_a_line_that_tryton_refuses_is_refused_by_itself(wire):
    closed = ["UserError", ["The account is closed", "", None]]
    wire.said[f"{LINES}.write"] = [closed, closed]
    with keeping(wire, 0, 1) as it:
        one, other = it.record_actuals([spent("CC1", "120.50"), spent("CC2", "7")])
    assert (one.outcome, "The account is closed" in one.reason) == (Keeping.REFUSED, True)
    assert other.outcome is Keeping.WRITTEN
    assert [len(params) // 2 for params in wire.sent(".write")] == [2, 1, 1]


def test_a_right_that_is_missing_is_no_refusal_of_a_line(wire):
    wire.said[f"{LINES}.write"] = [["UserError", ["You are not allowed to access", "", None]]]
    with keeping(wire, 0, 1) as it, pytest.raises(Forbidden):
        it.record_actuals([spent("CC1", "120.50"), spent("CC2", "7")])


def test_what_is_made_after_lines_were_changed_is_uncertain_where_its_answer_is_lost(wire):
    wire.said[f"{LINES}.create"] = [504]
    with keeping(wire, 0) as it, pytest.raises(Uncertain):
        it.record_actuals([spent("CC1", "120.50"), spent("CC2", "7")])
    assert len(wire.sent(".create")) == 1


def test_what_fails_after_lines_were_changed_is_no_plain_refusal(wire):
    wire.said[f"{LINES}.create"] = [["UserError", ["You are not allowed to access", "", None]]]
    with keeping(wire, 0) as it, pytest.raises(Uncertain, match="one call had been done"):
        it.record_actuals([spent("CC1", "120.50"), spent("CC2", "7")])


def test_what_stays_stale_is_given_up(wire):
    wire.said[f"{LINES}.write"] = [["ConcurrencyException", "changed"]] * 3
    with keeping(wire, 0) as it, pytest.raises(Stale):
        it.record_actuals([spent("CC1", "120.50")])
    assert len(wire.sent(".write")) == 3


def test_what_was_changed_meanwhile_is_stale(wire):
    with pytest.raises(Stale, match="in the meanwhile"):
        written(wire, ["ConcurrencyException", "Records were modified in the meanwhile"])


def test_what_was_changed_since_it_was_listed_is_stale_and_nothing_is_sent(wire):
    with connector() as it:
        listed(it)
        wire.rows["analytic_account.budget.line"][0]["amount"]["decimal"] = "-7"
        with pytest.raises(Stale, match="others by now"):
            it.update("CC1", draft("120.50"), {"amount"}, "k")
    assert wire.sent(".write") == []


def test_lines_that_cannot_be_locked_are_not_written(wire):
    del wire.rows["analytic_account.budget.line"][0]["_timestamp"]
    with connector() as it, pytest.raises(Malformed, match="no time stamp"):
        it.update("CC1", draft("120.50"), {"amount"}, "k")
    assert wire.sent(".write") == []


def test_an_account_that_counts_twice_is_not_written(wire):
    wire.rows["analytic_account.budget.line"].append(
        wire.rows["analytic_account.budget.line"][0] | {"id": 10}
    )
    with connector() as it, pytest.raises(Malformed, match="counts twice"):
        it.update("CC1", draft("120.50"), {"amount"}, "k")
    assert wire.sent(".write") == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (["UserError", ["Three digits", "too many", None]], Rejected),
        (["UserWarning", ["name", "Really?", ""]], Rejected),
        (["UserError", ["You are not allowed to access", "", None]], Forbidden),
        (["'amount'", ""], Malformed),
    ],
)
def test_what_tryton_refuses_was_not_done(wire, error, kind):
    with pytest.raises(kind):
        written(wire, error)
    assert len(wire.sent(".write")) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_write_that_had_to_wait_is_sent_again(wire, status):
    assert written(wire, status).model.amount == Amount.of("120.50", "USD")
    assert len(wire.sent(".write")) == 2


@pytest.mark.parametrize("answer", [504, httpx.ReadError("cut")])
def test_a_write_whose_answer_is_lost_is_uncertain_and_sent_once(wire, answer):
    with pytest.raises(Uncertain):
        written(wire, answer)
    assert len(wire.sent(".write")) == 1


def test_a_write_that_cannot_be_looked_at_afterwards_is_uncertain(wire):
    with connector() as it:
        listed(it)
        wire.said["analytic_account.budget.search_read"] = [SAME, *([504] * 6)]
        with pytest.raises(Uncertain, match="had been done"):
            it.update("CC1", draft("120.50"), {"amount"}, "k")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (403, Forbidden),
        (422, Rejected),
        (["LoginException", ["password", "Password for ada", "password"]], Unauthorized),
        (["RateLimitException", ""], RateLimited),
        (["TimeOutException", ""], Transient),
        (["some trouble", ""], Malformed),
        ([], Malformed),
        ("trouble", Malformed),
    ],
)
def test_what_a_refusal_of_a_read_becomes(wire, answer, error):
    wire.said["res.user.get_preferences"] = [answer]
    with connector() as it, pytest.raises(error):
        it.check()


def test_a_server_of_few_records_a_call_is_asked_for_fewer(wire):
    wire.said["analytic_account.budget.line.search_read"] = [413, 413]
    with connector() as it:
        assert len(listed(it)) == 1
    sizes = [params[2] for params in wire.sent("budget.line.search_read")]
    assert sizes[:3] == [1000, 500, 250]


def test_records_that_come_and_go_while_they_are_read_are_read_again(wire):
    reads = []
    usual = wire.usual

    def one_more(method, params):
        if method.endswith("budget.line.search_count"):
            reads.append(1)
            return 2 if len(reads) == 1 else 1
        return usual(method, params)

    wire.usual = one_more
    with connector() as it:
        assert len(listed(it)) == 1
    assert len(reads) == 2
    reads.clear()
    wire.usual = lambda *said: 99 if said[0].endswith("search_count") else usual(*said)
    with connector() as it, pytest.raises(Transient, match="come and go"):
        listed(it)


def test_an_answer_that_is_no_envelope_is_malformed(wire):
    wire.result = lambda value: httpx.Response(200, json=value)
    with connector() as it, pytest.raises(Malformed, match="no envelope"):
        it.check()


def test_a_record_that_lacks_a_field_names_it(wire):
    del wire.rows["analytic_account.budget.line"][0]["amount"]
    with connector() as it, pytest.raises(Malformed, match=r"budget.line,9.*amount"):
        listed(it)


def test_a_current_company_that_is_another_is_told(wire):
    usual = wire.usual
    said = {"companies": [1, 2], "company": None, "company_filter": "one"}
    wire.usual = lambda *call: said if call[0].endswith("preferences") else usual(*call)
    with connector() as it, pytest.raises(Forbidden, match="no current company"):
        listed(it)


def test_several_companies_are_a_question(wire):
    usual = wire.usual
    said = {"companies": [1, 2], "company": 1, "company_filter": "all"}
    wire.rows["company.company"].append(
        wire.rows["company.company"][0] | {"id": 2, "rec_name": "B"}
    )
    wire.usual = lambda *call: said if call[0].endswith("preferences") else usual(*call)
    with connector() as it, pytest.raises(Rejected, match=r"'Acme', 'B'.*company"):
        listed(it)
    with connector(company="Acme") as it:
        assert len(listed(it)) == 1


@pytest.mark.parametrize(
    ("said", "fields"),
    [({}, {"name"}), ({"budgets": "accounts"}, {"amount"}), ({"login": None, "password": None, "key": "k"}, {"amount"})],
)  # fmt: skip
def test_what_cannot_be_written_is_not_sent(respx_mock, said, fields):
    wire = Wire(respx_mock)
    with connector(**said) as it, pytest.raises(Unsupported):
        it.update("CC1", draft("1"), fields, "k")
    assert wire.calls == []


@pytest.mark.parametrize(
    "said",
    [
        {"key": "k"},
        {"password": None},
        {"login": None, "password": None},
        {"budgets": "accounts", "root": "CC"},
        {"budgets": "documents", "allocations": ["*"]},
        {"database": "a/b"},
        {"sign": 0},
        {"actuals_budget": "Actuals"},
        {"actuals_budget": "Actuals", "names": ["2026"], "budgets": "documents"},
    ],
)
def test_settings_that_do_not_fit_together_are_refused(said):
    with pytest.raises(ValidationError):
        connector(**said)


def test_the_settings_of_the_documentation_are_those_there_are():
    text = (ROOT / "docs/erp.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text[text.index("## Tryton") :], re.DOTALL)[:1]
    said = tomllib.loads(example)["systems"]["erp"]
    assert TrytonSettings.model_validate(said).root == "Departments"
    for name in TrytonSettings.model_fields.keys() - HttpSettings.model_fields.keys():
        assert f"`{name}" in text or f"\n{name} = " in text or f"or {name} = " in text, name

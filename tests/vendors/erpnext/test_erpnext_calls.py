"""What an ERPNext is sent, to the letter, and what its refusals become; no server is needed."""

import re
import tomllib
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from canonical.kind import Kind
from connectors.conformance import waitless
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    RateLimited,
    Rejected,
    Transient,
    Unauthorized,
    Unreadable,
)
from connectors.contract.settings import HttpSettings
from connectors.erpnext.connector import Erpnext
from connectors.erpnext.declared import ErpnextSettings
from connectors.erpnext.faults import message_of
from tests.vendors.script import Script

pytestmark = pytest.mark.respx(assert_all_called=False, assert_all_mocked=True)

ROOT = Path(__file__).parents[3]
URL = "https://erp.example.com"
KEY, SECRET = "key_canary_31", "secret_canary_42"
COMPANY = f"{URL}/api/resource/Company"
PERMISSIONS = (
    f"{URL}/api/method/frappe.core.doctype.user_permission.user_permission.get_user_permissions"
)
PAGE = "order_by=name+asc&limit_start=0&limit_page_length=500"
NAMED = "%5B%22default_currency%22%2C%22name%22%5D"
DATES = "%5B%22year_start_date%22%2C%22year_end_date%22%2C%22name%22%5D"
OFF = "%5B%22disabled%22%2C%22name%22%5D"
OURS = "%5B%22company%22%2C%22%3D%22%2C%22Acme+%26+S%5Cu00f6hne%22%5D"


def after(name, *clauses):
    said = "%2C".join([*clauses, f"%5B%22name%22%2C%22%3E%22%2C%22{name}%22%5D"])
    return f"filters=%5B{said}%5D"


HEADER = {
    "name": "Sales - AL/2026/001", "docstatus": 1, "modified": "2026-01-02 03:04:05.678901",
    "company": "Acme & Söhne", "budget_against": "Cost Center", "cost_center": "Sales - AL",
    "amended_from": None, "fiscal_year": "2026", "monthly_distribution": None,
}  # fmt: skip
ROW = b'{"account":"Travel - AL","budget_amount":1200.10}'
YEAR = {"name": "2026", "year_start_date": "2026-01-01", "year_end_date": "2026-12-31"}


def connector(**said):
    whole = {"connector": "erpnext", "base_url": URL, "api_key": SecretStr(KEY),
             "api_secret": SecretStr(SECRET)}  # fmt: skip
    return Erpnext("erp", ErpnextSettings(**whole | said), waitless())


def whole_document():
    head = httpx.Response(200, json={"data": HEADER}).content[:-2]
    return httpx.Response(
        200, content=head + b',"accounts":[' + ROW + b"]}}",
        headers={"Content-Type": "application/json"},
    )  # fmt: skip


def escaped(text):
    return text.replace("&", "%26").replace("ö", "%5Cu00f6").replace(" ", "+")


def listing_of(url, first, last, fields, *clauses):
    """The two calls of a listing with one record: the second finds nothing after it."""
    own = f"filters=%5B{'%2C'.join(clauses)}%5D&" if clauses else ""
    yield f"GET {url}?fields={fields}&{own}{PAGE}", {"data": [first]}
    yield f"GET {url}?fields={fields}&{after(last, *clauses)}&{PAGE}", {"data": []}


def test_a_reading_to_the_letter(respx_mock):
    budgets = f"{URL}/api/resource/Budget"
    listed = [
        *listing_of(budgets, HEADER, "Sales+-+AL%2F2026%2F001", "%5B%22%2A%22%5D", OURS),
    ]
    company = {"name": "Acme & Söhne", "default_currency": "EUR"}
    exchanges = [
        *listing_of(COMPANY, company, escaped("Acme & Söhne"), NAMED),
        (f"GET {PERMISSIONS}", {"message": {}}),
        *listing_of(f"{URL}/api/resource/Fiscal%20Year", YEAR, "2026", DATES),
        *listed,
        (f"GET {budgets}/Sales%20-%20AL%2F2026%2F001", whole_document()),
        *listing_of(
            f"{URL}/api/resource/Cost%20Center", {"name": "Sales - AL", "disabled": 0},
            "Sales+-+AL", OFF, OURS,
        ),
        *listed,
    ]  # fmt: skip
    script = Script(respx_mock)
    script.play(exchanges)
    with connector() as it:
        (page,) = it.list(Kind.BUDGET)
    (item,) = page.items
    assert f"{item.model.amount}" == "1200.10 EUR"
    assert [address for _, address, _ in script.sent] == [
        re.sub(rf"^GET {re.escape(URL)}", "", call) for call, _ in exchanges
    ]
    assert script.header("Authorization") == {f"token {KEY}:{SECRET}"}


def failing(respx_mock, response):
    respx_mock.route().mock(return_value=response)
    with connector() as it, pytest.raises(Exception) as caught:
        it.check()
    told = f"{caught.value!r} {caught.value}"
    assert KEY not in told
    assert SECRET not in told
    return caught.value, len(respx_mock.calls)


MESSAGES = '["{\\"message\\": \\"No <strong>such</strong> thing\\", \\"title\\": \\"Oh\\"}"]'
BODY = {
    "exc_type": "ValidationError", "_server_messages": MESSAGES,
    "exception": "frappe.exceptions.ValidationError: other words",
    "exc": '["Traceback (most recent call last): apps/frappe/app.py SECRET-OF-THE-SERVER"]',
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kind", "calls"),
    [
        (400, Rejected, 1),
        (401, Unauthorized, 1),
        (403, Forbidden, 1),
        (404, Unreadable, 1),
        (409, Rejected, 1),
        (417, Rejected, 1),
        (429, RateLimited, 6),
        (500, Transient, 6),
        (502, Transient, 6),
        (503, Transient, 6),
        (504, Transient, 6),
    ],
)
def test_what_a_refusal_becomes_and_how_often_it_was_sent(respx_mock, status, kind, calls):
    error, sent = failing(respx_mock, httpx.Response(status, json=BODY))
    assert (type(error), sent) == (kind, calls)
    assert "No such thing" in f"{error}"
    assert "SECRET-OF-THE-SERVER" not in f"{error}"


@pytest.mark.parametrize("status", [403, 404, 417, 502])
def test_a_page_of_html_is_a_refusal_as_well(respx_mock, status):
    page = "<!DOCTYPE html><html><body>" + "<p>" * 1000 + "</body></html>"
    error, _ = failing(respx_mock, httpx.Response(status, html=page))
    assert "<p>" not in f"{error}"


def test_a_wrong_key_is_sent_once_and_the_settings_are_named(respx_mock):
    respx_mock.route().mock(return_value=httpx.Response(401, json=BODY))
    with connector() as it:
        for _ in range(3):
            with pytest.raises(Unauthorized, match="api_key and api_secret"):
                it.check()
            with pytest.raises(Unauthorized):
                list(it.list(Kind.BUDGET))
    assert len(respx_mock.calls) == 1


def test_a_redirect_to_another_host_is_not_followed(respx_mock):
    error, sent = failing(
        respx_mock, httpx.Response(302, headers={"Location": "https://evil.example.com"})
    )
    assert (type(error), sent) == (Malformed, 1)


@pytest.mark.parametrize(
    "answer",
    [
        {"message": "ok"},
        {},
        [],
        None,
        5,
        {"data": None},
        {"data": {}},
        {"data": "text"},
        {"data": [5]},
        {"data": [{}]},
        {"data": [{"name": ""}]},
        {"data": [{"name": 7}]},
        {"data": [{"name": "x" * 10_000}]},
        {"data": [{"name": "A"}, {"name": "A"}]},
        {"data": [], "exc": '["Traceback"]'},
        {"data": [], "exc_type": "PermissionError"},
        {"data": [{"name": "Acme", "default_currency": None}]},
    ],
)
def test_an_answer_of_another_shape_is_malformed_and_not_empty_books(respx_mock, answer):
    error, _ = failing(respx_mock, httpx.Response(200, json=answer))
    assert isinstance(error, Malformed)


def test_a_server_that_makes_up_names_for_ever_is_stopped(respx_mock, monkeypatch):
    monkeypatch.setattr("connectors.calling.paging.MAX_PAGES", 50)
    made = iter(range(10**9))
    respx_mock.route().mock(
        side_effect=lambda request: httpx.Response(200, json={"data": [{"name": f"{next(made)}"}]})
    )
    with connector() as it, pytest.raises(Malformed, match="does not end"):
        it.check()


def test_a_document_that_is_another_is_not_taken_for_the_one_that_was_asked_for(respx_mock):
    respx_mock.route().mock(return_value=httpx.Response(200, json={"data": {"name": "other"}}))
    with connector() as it, pytest.raises(Malformed, match="something else"):
        it._site.document("Budget", "BUDGET-1")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BODY, "No such thing"),
        ({**BODY, "_server_messages": "["}, "other words"),
        ({**BODY, "_server_messages": "[5]"}, "other words"),
        ({**BODY, "_server_messages": "[" * 10_000}, "other words"),
        ({"_error_message": "Insufficient <b>Permission</b>"}, "Insufficient Permission"),
        ({"exc_type": "PermissionError", "exc": "Traceback"}, "PermissionError"),
        (
            {"exception": "frappe.exceptions.DoesNotExistError"},
            "frappe.exceptions.DoesNotExistError",
        ),
        ({"message": "Invalid Token"}, "Invalid Token"),
        ({"exc": "Traceback"}, None),
        ({"_server_messages": 7, "message": {"a": 1}}, None),
        ([], None),
    ],
)
def test_the_words_of_an_error_are_those_for_people(body, said):
    assert message_of(body) == said


def test_markup_without_end_is_no_work_without_end():
    assert len(message_of({"message": "<" * 10**6}) or "") <= 20_000


@pytest.mark.parametrize(
    "said",
    [
        {"api_key": None},
        {"api_secret": None},
        {"base_url": "http://erp.example.com"},
        {"base_url": "https://key:secret@erp.example.com"},
        {"against": ()},
        {"against": ("",)},
        {"undistributed": "weekly"},
        {"company": ""},
        {"password": "x"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(said):
    with pytest.raises(ValidationError):
        connector(**said)


def test_a_key_that_no_header_can_carry_is_told_without_it():
    with pytest.raises(Unauthorized) as caught:
        connector(api_secret=SecretStr("geheim\nnis"))
    assert "geheim" not in f"{caught.value}"


def test_the_settings_of_the_documentation_are_those_there_are():
    text = (ROOT / "docs/erp.md").read_text(encoding="utf-8")
    section = text[text.index("## ERPNext") :]
    (example,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)[:1]
    said = tomllib.loads(example)["systems"]["erpnext"]
    assert ErpnextSettings.model_validate(said).company == "Acme Ltd"
    for name in ErpnextSettings.model_fields.keys() - HttpSettings.model_fields.keys():
        assert f"`{name}" in section or f"\n{name} = " in section, name

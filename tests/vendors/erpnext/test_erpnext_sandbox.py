"""The stand-in for ERPNext answers as Frappe's sources say, and at its worst where they do not."""

from decimal import Decimal

import httpx
import pytest

from canonical.kind import Kind
from connectors.calling.exact_json import read
from connectors.sandbox.erpnext.api import ErpnextSandbox
from connectors.sandbox.server import serve
from tests.vendors.erpnext.erpnext_site import KEY, SECRET, Site, budget, site

MANY = [budget(f"BUDGET-{n:08d}", "Sales - AL", f"A{n} - AL") for n in range(25)]


def get(erp, path, key=f"{KEY}:{SECRET}", **query):
    return httpx.get(f"{erp.url}{path}", params=query, headers={"Authorization": f"token {key}"})


def told(erp, what, **said):
    return httpx.post(f"{erp.url}/_sandbox/{what}", json=said)


def test_a_listing_has_twenty_names_unless_more_is_asked_for():
    with site(MANY) as erp:
        found = get(erp, "/api/resource/Budget").json()["data"]
        more = get(erp, "/api/resource/Budget", limit_page_length=50, fields='["*"]').json()["data"]
    assert ([*found[0]], len(found), len(more)) == (["name"], 20, 25)
    assert "budget_distribution" not in more[0]
    assert more[0]["cost_center"] == "Sales - AL"


def test_numbers_are_floats_with_all_their_digits():
    own = budget("B-1", "Sales - AL", amounts=["0.1", "9007199254740993.25", "12"])
    with site([own]) as erp:
        raw = get(erp, "/api/resource/Budget/B-1").content
    assert b'"amount":12.0' in raw
    rows = read(raw)["data"]["budget_distribution"]
    assert [row["amount"] for row in rows] == [Decimal("0.1"), Decimal("9007199254740993.25"), 12]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/api/resource/Nothing", {}, 404),
        ("/api/resource/Budget/Nothing", {}, 404),
        ("/api/elsewhere", {}, 404),
        ("/api/resource/User Permission", {}, 404),
        ("/api/resource/Budget Distribution", {}, 403),
        ("/api/resource/Budget", {"fields": '["nothing"]'}, 417),
        ("/api/resource/Budget", {"fields": "["}, 417),
        ("/api/resource/Budget", {"fields": "[5]"}, 417),
        ("/api/resource/Budget", {"filters": '[["name"]]'}, 417),
        ("/api/resource/Budget", {"filters": '[["name", "like", "x"]]'}, 417),
        ("/api/resource/Budget", {"filters": '[["docstatus", ">", {"a": 1}]]'}, 417),
        ("/api/resource/Budget", {"order_by": "name; drop"}, 417),
        ("/api/resource/Budget", {"limit_page_length": "-1"}, 417),
    ],
)
def test_what_is_refused_says_so_in_json_with_a_traceback(path, query, status):
    with site(MANY) as erp:
        answer = get(erp, path, **query)
    assert answer.status_code == status
    assert {"exc", "exc_type", "exception", "_server_messages"} <= answer.json().keys()


@pytest.mark.parametrize("key", [KEY, f"{KEY}:wrong", f"wrong:{SECRET}", f":{SECRET}", SECRET])
def test_only_the_pair_lets_a_caller_in(key):
    with site(MANY) as erp:
        assert get(erp, "/api/resource/Budget", key=key).status_code == 401
        assert get(erp, "/api/resource/Budget").status_code == 200
        assert httpx.get(f"{erp.url}/api/resource/Budget").status_code == 403


def test_refusals_may_be_pages():
    with site(MANY, html_errors=True) as erp:
        answer = get(erp, "/api/resource/Nothing")
    assert (answer.status_code, answer.text[:9]) == (404, "<!DOCTYPE")


def test_nothing_is_written_over_rest():
    with site(MANY) as erp:
        before = erp.served.state.records()
        headers = {"Authorization": f"token {KEY}:{SECRET}"}
        for method in ("POST", "PUT", "DELETE"):
            answer = httpx.request(method, f"{erp.url}/api/resource/Budget/B", headers=headers)
            assert answer.status_code == 403
        assert erp.served.state.records() == before


def test_people_cancel_amend_and_submit():
    with site(MANY[:1]) as erp:
        name = MANY[0]["name"]
        assert told(erp, "amend", budget=name).status_code == 400
        assert told(erp, "submit", budget=name).status_code == 400
        assert told(erp, "cancel", budget=name).json()["docstatus"] == 2
        draft = told(erp, "amend", budget=name).json()
        assert (draft["name"], draft["amended_from"], draft["docstatus"]) == (f"{name}-1", name, 0)
        assert told(erp, "submit", budget=draft["name"]).json()["docstatus"] == 1
        again = told(erp, "put", doctype="Budget", row={"name": draft["name"], "budget_amount": 5})
        assert again.json()["modified"] > draft["modified"]
        assert told(erp, "put", doctype="Nothing", row={}).status_code == 400


@pytest.mark.parametrize("old", [False, True])
def test_a_fresh_site_is_one_that_can_be_read(old):
    with serve(ErpnextSandbox(token=SECRET, old=old)) as served:
        erp = Site(served)
        with erp.connector() as connector:
            budgets = {
                item.id: item.model for page in connector.list(Kind.BUDGET) for item in page.items
            }
            shares = [item for page in connector.list(Kind.ALLOCATION) for item in page.items]
    assert budgets.keys() == {"IT - AL", "Sales - AL"}
    assert len(shares) == 3
    assert budgets["IT - AL"].amount.text() == ("18000.00" if old else "1500.00")

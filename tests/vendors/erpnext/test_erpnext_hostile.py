"""Documents that hold anything that JSON can say: read, set aside or refused, and never a crash."""

from decimal import Decimal
from urllib.parse import unquote

import pytest
from starlette.datastructures import Headers, QueryParams

from canonical.kind import Kind
from connectors.calling.exact_json import read
from connectors.contract.errors import ConnectorError
from connectors.sandbox.api import Call, Refused
from connectors.sandbox.erpnext.api import ErpnextSandbox
from tests.vendors.erpnext.erpnext_site import KEY, SECRET, Site, budget, old_budget, seed

ANYTHING = (
    None, "", " ", "x", "\x00", "\ud800", "\u200b", "2026-02-30", "0001-01-01", "9999-12-31", 0, -1, 5,
    10**30, 10**400, Decimal("NaN"), Decimal("1e-30"), Decimal("1e300"), True, [], [None], [[]], {},
    {"a": {}}, [{"name": "x"}],
)  # fmt: skip
NEW = budget("BUDGET-00000001", "Sales - AL")
OLD = old_budget("HR - AL/2026/001", "HR - AL", {"Fuel - AL": 12}, monthly_distribution="Even")
EVEN = {
    "name": "Even",
    "percentages": [{"month": m, "percentage_allocation": 50} for m in ("May", "June")],
}


def direct(tables, **switches):
    """A connector that calls a sandbox without a server, and what is done to each answer."""
    sandbox = ErpnextSandbox(token=SECRET, seed=tables, rate_limit="off", empty=True, **switches)
    spoil = []
    headers = Headers({"authorization": f"token {KEY}:{SECRET}"})

    def call(path, params=None):
        query = {name: f"{value}" for name, value in (params or {}).items() if value is not None}
        try:
            answer = sandbox.answer(Call("GET", unquote(path), QueryParams(query), headers, b""))
        except Refused as refused:
            answer = refused.answer
        found = read(bytes(answer.body))
        for each in spoil:
            each(unquote(path), found)
        return found

    class Unserved:
        url, sandbox = "http://127.0.0.1:9", None

    connector = Site(Unserved()).connector()
    connector._site._call = call
    return connector, spoil


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield from places(each, (*path, key))


def has(value, key):
    """Whether there is that place in it."""
    if isinstance(value, list):
        return isinstance(key, int) and key < len(value)
    return isinstance(value, dict) and key in value


def put(value, path, anything):
    """`anything` in that place of an answer, where it has one."""
    for key in path[:-1]:
        if not has(value, key):
            return
        value = value[key]
    if has(value, path[-1]):
        value[path[-1]] = anything


def read_whole(connector):
    try:
        (page,) = connector.list(Kind.BUDGET)
        (shares,) = connector.list(Kind.ALLOCATION)
    except ConnectorError:
        return None
    return page, shares


@pytest.mark.sampled(25)
@pytest.mark.parametrize("nth", range(6))
@pytest.mark.parametrize("lists_tables", [False, True])
@pytest.mark.parametrize(
    "at",
    [
        "Company", "Fiscal Year", "Budget", "Budget/BUDGET-00000001", "Budget/HR - AL/2026/001",
        "Monthly Distribution/Even", "Cost Center", "Budget Distribution",
    ],
)  # fmt: skip
def test_whatever_an_answer_holds_no_money_is_made_of_it(at, lists_tables, nth):
    tables = seed([NEW, OLD], **{"Monthly Distribution": [EVEN]})
    connector, spoil = direct(tables, lists_tables=lists_tables)
    with connector:
        whole = read_whole(connector)
        assert whole is not None
        sound = {item.id: item.model for page in whole for item in page.items}
        assert len(sound) == 4
        answers = []
        spoil.append(
            lambda path, found: answers.append(found) if path.endswith(f"resource/{at}") else None
        )
        read_whole(connector)
        found_places = {path[1:] for answer in answers for path in places(answer) if len(path) > 1}
        for place in sorted(found_places, key=repr)[:: 3 if len(found_places) > 60 else 1]:
            for anything in ANYTHING[nth::6]:
                spoil[:] = [
                    lambda path, found, place=place, anything=anything: (
                        put(found, ("data", *place), anything)
                        if path.endswith(f"resource/{at}")
                        else None
                    )
                ]
                found = read_whole(connector)
                if found is None:
                    continue
                budgets, shares = found
                seen = {item.id for item in budgets.items}
                is_draft = (place[-1], anything) == ("docstatus", 0)
                assert len(seen) == 2 or budgets.problems or is_draft, (place, anything)
                assert all(item.container in seen for item in shares.items)

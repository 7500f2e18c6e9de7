"""Paging: any page size lists the same, and no vendor's mistake makes a listing short or endless."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.calling.paging import ahead, cursor_pages, number_pages
from connectors.contract.errors import Malformed
from connectors.memory.connector import Memory

SIZES = st.integers(1, 12)
COUNTS = st.integers(0, 40)


def _by_token(items, size):
    def fetch(token):
        start = int(token or 0)
        more = str(start + size) if start + size < len(items) else None
        return {"items": items[start : start + size], "next": more}

    return fetch


def _by_number(items, size):
    def fetch(token):
        start = (int(token) - 1) * size
        return {
            "items": items[start : start + size],
            "pages": max(1, -(-len(items) // size)),
            "page": int(token),
            "total": len(items),
        }

    return fetch


def _cursors(fetch, **more):
    return cursor_pages(fetch, items="items", next_token="next", **more)


def _numbers(fetch, **more):
    asked = {"items": "items", "id": "id", "pages": "pages", "current": "page", "total": "total"}
    return number_pages(fetch, **asked, **more)


def _rows(count):
    return [{"id": f"id-{number}"} for number in range(count)]


@given(COUNTS, SIZES)
def test_cursor_pages_list_everything_once_at_any_page_size(count, size):
    listed = [row for page in _cursors(_by_token(_rows(count), size)) for row in page.items]
    assert listed == _rows(count)


@given(COUNTS, SIZES)
def test_number_pages_list_everything_once_at_any_page_size(count, size):
    listed = [row for page in _numbers(_by_number(_rows(count), size)) for row in page.items]
    assert listed == _rows(count)


@given(COUNTS, SIZES)
def test_fetching_ahead_changes_nothing(count, size):
    pages = list(_cursors(_by_token(_rows(count), size)))
    assert list(ahead(iter(pages))) == pages


@given(COUNTS, SIZES, st.data())
def test_a_listing_goes_on_from_any_of_its_cursors(count, size, data):
    fetch = _by_token(_rows(count), size)
    pages = list(_cursors(fetch))
    at = data.draw(st.integers(0, len(pages) - 1))
    assert list(_cursors(fetch, cursor=pages[at].cursor)) == pages[at:]


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=8))
def test_tokens_in_any_order_end_or_are_refused_and_none_is_fetched_twice(tokens):
    asked, answers = [], iter(tokens)

    def fetch(token):
        asked.append(token)
        return {"items": [], "next": next(answers, None)}

    pages = _cursors(fetch)
    repeats = (
        len(set(tokens[: tokens.index(None)])) < tokens.index(None)
        if None in tokens
        else (len(set(tokens)) < len(tokens))
    )
    if repeats:
        with pytest.raises(Malformed):
            list(pages)
    else:
        list(pages)
    assert len(asked) == len(set(asked))


@given(st.integers(2, 40), SIZES, st.data())
def test_an_item_that_a_numbered_page_hides_is_missed(count, size, data):
    hidden = data.draw(st.integers(0, count - 1))
    whole = _by_number(_rows(count), size)

    def fetch(token):
        answer = whole(token)
        kept = [row for row in answer["items"] if row["id"] != f"id-{hidden}"]
        return answer | {"items": kept}

    with pytest.raises(Malformed):
        list(_numbers(fetch))


@given(COUNTS, SIZES, SIZES)
def test_a_connector_lists_the_same_at_any_page_size(count, one, other):
    memory = Memory()
    memory.put(*(Budget(ref=f"B{n}", name="B", amount=Amount.of(n, "USD")) for n in range(count)))
    listings = [
        [item.id for page in memory.reopened(size).list(Kind.BUDGET) for item in page.items]
        for size in (one, other)
    ]
    assert listings[0] == listings[1] == [f"B{n}" for n in range(count)]


@given(SIZES, SIZES)
def test_what_appears_while_a_listing_runs_doubles_nothing(before, size):
    memory = Memory().reopened(size)
    budgets = [Budget(ref=f"B{n}", name="B", amount=None) for n in range(before + 5)]
    memory.put(*budgets[:before])
    pages = memory.list(Kind.BUDGET)
    first = [item.id for page in islice(pages, 1) for item in page.items]
    memory.put(*budgets)
    rest = [item.id for page in pages for item in page.items]
    assert len({*first, *rest}) == len(first + rest)
    assert {budget.ref for budget in budgets[:before]} <= {*first, *rest}

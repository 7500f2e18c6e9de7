import threading
from decimal import Decimal
from itertools import count

import pytest

from connectors.calling import paging
from connectors.calling.paging import (
    RawPage,
    ahead,
    cursor_pages,
    link_pages,
    number_pages,
    single_page,
)
from connectors.contract.errors import Call, Malformed


def chain(*answers):
    """A fetch that answers by token; the first answer is for None."""
    asked = []

    def fetch(token):
        asked.append(token)
        return dict(answers)[token]

    fetch.asked = asked
    return fetch


def cursors(fetch, **more):
    return cursor_pages(fetch, items="items", next_token="next", **more)


THREE = (
    (None, {"items": [1, 2], "next": "b"}),
    ("b", {"items": [3], "next": "c"}),
    ("c", {"items": []}),
)


def test_cursor_pages_run_from_the_first_page_to_the_one_without_a_token():
    assert list(cursors(chain(*THREE))) == [
        RawPage([1, 2], None, "b"),
        RawPage([3], "b", "c"),
        RawPage([], "c", None),
    ]


def test_cursor_pages_start_at_a_given_cursor():
    assert [page.cursor for page in cursors(chain(*THREE), cursor="b")] == ["b", "c"]


@pytest.mark.parametrize("end", [{}, {"next": None}, {"next": ""}])
def test_null_empty_and_absent_tokens_are_the_end(end):
    assert len(list(cursors(chain((None, {"items": []} | end))))) == 1


def test_pages_are_fetched_only_when_asked_for():
    fetch = chain(*THREE)
    next(cursors(fetch))
    assert fetch.asked == [None]


def test_a_token_repeated_after_others_ends_the_listing():
    pages = cursors(
        chain(
            (None, {"items": [1], "next": "a"}),
            ("a", {"items": [2], "next": "b"}),
            ("b", {"items": [3], "next": "a"}),
        )
    )
    assert [next(pages).items, next(pages).items] == [[1], [2]]
    with pytest.raises(Malformed, match="repeats its page token 'a'"):
        next(pages)


def test_the_cursor_that_a_listing_started_from_counts_as_seen():
    with pytest.raises(Malformed, match="repeats its page token 'a'"):
        next(cursors(chain(("a", {"items": [], "next": "a"})), cursor="a"))


def test_a_listing_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(paging, "MAX_PAGES", 5)
    tokens = count()
    with pytest.raises(Malformed, match="does not end after 5 pages"):
        list(cursors(lambda _: {"items": [], "next": str(next(tokens))}))


@pytest.mark.parametrize("answer", [None, [], {}, {"items": None}, {"items": {"a": 1}}, "items"])
def test_a_page_without_its_list_is_malformed(answer):
    with pytest.raises(Malformed, match="no list 'items'"):
        list(cursors(lambda _: answer))


@pytest.mark.parametrize("token", [7, True, ["x"]])
def test_a_token_that_is_not_text_is_malformed(token):
    with pytest.raises(Malformed, match="not text"):
        list(cursors(lambda _: {"items": [], "next": token}))


def test_an_error_says_which_call_it_was():
    with pytest.raises(Malformed, match="brex: GET /v2/budgets: the page"):
        list(cursors(lambda _: {}, call=Call("brex", "GET", "/v2/budgets")))


def links(fetch, **more):
    return link_pages(
        fetch,
        items="budgets",
        next_link="links.next",
        resolve=lambda url: f"https://v{url}",
        **more,
    )


def test_link_pages_follow_resolved_links():
    fetch = chain(
        (None, {"budgets": [1], "links": {"next": "/b?page=2"}}),
        ("https://v/b?page=2", {"budgets": [2], "links": {"next": None}}),
    )
    assert [page.items for page in links(fetch)] == [[1], [2]]


def test_a_listing_without_links_has_one_page():
    assert len(list(links(chain((None, {"budgets": [1]}))))) == 1


def test_the_link_that_a_listing_starts_from_is_judged_too():
    def refuse(url):
        raise Malformed("foreign")

    with pytest.raises(Malformed, match="foreign"):
        list(
            link_pages(chain(), items="b", next_link="next", resolve=refuse, cursor="https://evil")
        )


def test_a_link_seen_before_ends_the_listing():
    pages = links(lambda _: {"budgets": [], "links": {"next": "/b?page=2"}})
    with pytest.raises(Malformed, match="repeats its page token"):
        list(pages)


def numbered(total, held, size=2):
    """A fetch over `held` items in pages of `size`, as a vendor with an envelope answers."""

    def fetch(token):
        page = int(token)
        rows = [{"id": each} for each in held[(page - 1) * size : page * size]]
        return {
            "p": {"current": page, "pages": -(-len(held) // size), "results": total},
            "items": rows,
        }

    return fetch


def numbers(fetch, **more):
    return number_pages(
        fetch,
        items="items",
        id="id",
        pages="p.pages",
        current="p.current",
        total="p.results",
        **more,
    )


def ids(pages):
    return [item["id"] for page in pages for item in page.items]


def test_number_pages_run_up_to_the_number_of_pages():
    pages = list(numbers(numbered(5, "abcde")))
    assert ids(pages) == list("abcde")
    assert [(page.cursor, page.next_cursor) for page in pages] == [
        ("1", "2"),
        ("2", "3"),
        ("3", None),
    ]


def test_number_pages_of_an_empty_listing_are_one_empty_page():
    assert list(numbers(numbered(0, ""))) == [RawPage([], "1", None)]


def test_number_pages_start_at_a_given_cursor_without_counting():
    assert ids(numbers(numbered(5, "abcde"), cursor="3")) == ["e"]


def test_items_that_do_not_add_up_to_the_total_are_malformed():
    with pytest.raises(Malformed, match="holds 4 of 5 items"):
        list(numbers(numbered(5, "abcd")))


def test_an_answer_for_another_page_is_malformed():
    with pytest.raises(Malformed, match="page 2 with another page"):
        list(numbers(lambda _: numbered(5, "abcde")("1")))


def test_an_empty_page_before_the_last_is_malformed():
    with pytest.raises(Malformed, match="page 1 of 3 is empty"):
        list(
            number_pages(lambda _: {"items": [], "pages": 3}, items="items", id="id", pages="pages")
        )


def test_without_a_number_of_pages_only_an_empty_page_is_the_end():
    held = [["a", "b"], ["c"], ["d", "e"], []]
    pages = number_pages(lambda t: [{"id": i} for i in held[int(t) - 1]], items="", id="id")
    assert ids(pages) == list("abcde")


def test_a_vendor_that_ignores_the_page_number_is_found_out():
    pages = number_pages(lambda _: {"items": [{"id": "a"}, {"id": "b"}]}, items="items", id="id")
    with pytest.raises(Malformed, match="page 2 was here before"):
        list(pages)


def test_items_without_an_id_are_compared_whole():
    held = [[{"name": "a"}], [{"name": "b"}], []]
    pages = number_pages(lambda t: held[int(t) - 1], items="", id="id")
    assert [page.items for page in pages] == held


@pytest.mark.parametrize("said", ["3", None, True, Decimal("1.5")])
def test_a_number_of_pages_that_is_no_number_is_malformed(said):
    with pytest.raises(Malformed, match="not a whole number"):
        list(number_pages(lambda _: {"items": [], "n": said}, items="items", id="id", pages="n"))


def test_a_single_page_is_the_whole_listing():
    assert list(single_page(lambda _: {"data": [1, 2]}, items="data")) == [
        RawPage([1, 2], None, None)
    ]


def test_ahead_yields_the_same_pages_in_order():
    assert list(ahead(iter(range(20)))) == list(range(20))


def test_ahead_fetches_the_next_page_while_one_is_worked_on():
    fetched = threading.Event()

    def pages():
        yield 1
        fetched.set()
        yield 2

    reading = ahead(pages())
    assert next(reading) == 1
    assert fetched.wait(10)
    reading.close()


def test_ahead_raises_an_error_after_the_pages_before_it():
    def pages():
        yield 1
        raise Malformed("broken")

    reading = ahead(pages())
    assert next(reading) == 1
    with pytest.raises(Malformed):
        next(reading)


def test_ahead_leaves_no_thread_when_its_consumer_stops_early():
    before = threading.active_count()
    reading = ahead(iter(range(100)))
    next(reading)
    assert threading.active_count() == before + 1
    reading.close()
    assert threading.active_count() == before


def test_ahead_does_not_start_before_the_first_page_is_asked_for():
    asked = []
    ahead(asked.append(each) for each in "ab")
    assert asked == []

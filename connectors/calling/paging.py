"""Pagers: they turn one call into all pages of a listing, or into an error.

A listing that ends without an error is complete. Every way in which vendors are known to go round
in circles or to stop early ends with `Malformed`: a token or a page seen before, a page other than
the one asked for, an empty page before the last, a total that the items do not add up to.

Where a thing stands in an answer is said by its keys with dots between them: "links.next";
"" is the answer itself.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from connectors.calling.measure import total as received_so_far
from connectors.calling.parsing import begun
from connectors.contract.errors import Call, Malformed
from connectors.contract.work import carried

MAX_PAGES: Final = 100_000
"""No budget listing is this long; a vendor that makes up new tokens for ever is stopped here."""

MAX_OBJECTS: Final = 2_000_000
MAX_BYTES: Final = 8 * 1024**3
"""More than this no account holds; a vendor that fills page after page is stopped here."""

Fetch: TypeAlias = Callable[[str | None], Any]
"""Gets the page of a token, None being the first one, as parsed JSON."""

Item = TypeVar("Item")
_END: Final = object()


@dataclass(frozen=True, slots=True)
class RawPage:
    """One page as the vendor sent it: the cursor that fetched it, and the one that comes next."""

    items: list[Any]
    cursor: str | None
    next_cursor: str | None


def single_page(fetch: Fetch, *, items: str, call: Call | None = None) -> Iterator[RawPage]:
    """The whole listing in one answer, for vendors that do not page."""
    yield RawPage(_items(fetch(None), items, call), None, None)


def cursor_pages(
    fetch: Fetch,
    *,
    items: str,
    next_token: str,
    cursor: str | None = None,
    call: Call | None = None,
) -> Iterator[RawPage]:
    """Pages from `cursor`, each naming the token of the next; null, empty or absent is the end."""

    def read(answer: Any, _token: str | None, _items: list[Any]) -> str | None:
        return _token_at(answer, next_token, call)

    return _walk(fetch, read, items, cursor, call)


def link_pages(
    fetch: Fetch,
    *,
    items: str,
    next_link: str,
    resolve: Callable[[str], str],
    cursor: str | None = None,
    call: Call | None = None,
) -> Iterator[RawPage]:
    """Pages from `cursor`, each naming the address of the next.

    `resolve` makes an address whole and refuses a foreign one (`HttpClient.absolute`). It judges
    the first `cursor` too, which may come out of a state file.
    """

    def read(answer: Any, _token: str | None, _items: list[Any]) -> str | None:
        link = _token_at(answer, next_link, call)
        return resolve(link) if link else None

    return _walk(fetch, read, items, resolve(cursor) if cursor else None, call)


def number_pages(
    fetch: Fetch,
    *,
    items: str,
    id: str,
    pages: str | None = None,
    current: str | None = None,
    total: str | None = None,
    cursor: str | None = None,
    call: Call | None = None,
) -> Iterator[RawPage]:
    """Pages 1, 2, 3 …, or from the number in `cursor`.

    `pages` says where an answer has the number of pages; without it an empty page is the end, as a
    short page may only be a vendor's own idea of the page size. `current` is where it names its
    own number, `total` where it counts all items. Two pages of equal length that begin and end
    with the same `id` are one page sent twice.
    """
    listed, ends = 0, set[tuple[int, str, str]]()

    def read(answer: Any, token: str | None, found: list[Any]) -> str | None:
        nonlocal listed
        assert token is not None
        if current and _number_at(answer, current, call) != int(token):
            raise _broken(f"the listing answers page {token} with another page", call)
        if found:
            first, last = (str(_at(each, id) or each) for each in (found[0], found[-1]))
            mark = (len(found), first, last)
            if mark in ends:
                raise _broken(f"the listing repeats a page: page {token} was here before", call)
            ends.add(mark)
        listed += len(found)
        end = _number_at(answer, pages, call) if pages else None
        if end is not None and not found and int(token) < end:
            raise _broken(f"page {token} of {end} is empty", call)
        if found if end is None else int(token) < end:
            return str(int(token) + 1)
        if total and cursor is None and _number_at(answer, total, call) != listed:
            raise _broken(f"the listing holds {listed} of {_at(answer, total)} items", call)
        return None

    return _walk(fetch, read, items, cursor or "1", call)


def ahead(pages: Iterator[Item]) -> Iterator[Item]:
    """The same pages, each fetched in a thread while the one before it is worked on.

    A consumer that stops early waits for the call that is under way; no thread is left behind.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(carried(next), pages, _END)
        while (page := coming.result()) is not _END:
            coming = thread.submit(carried(next), pages, _END)
            yield page  # type: ignore[misc]  # everything but _END is an Item


def _walk(
    fetch: Fetch,
    read_next: Callable[[Any, str | None, list[Any]], str | None],
    items: str,
    token: str | None,
    call: Call | None,
) -> Iterator[RawPage]:
    seen, objects, size = {token}, 0, 0
    for _ in range(MAX_PAGES):
        before = received_so_far()
        answer = fetch(token)
        found = _items(answer, items, call)
        objects, size = objects + len(found), size + received_so_far() - before
        if objects > MAX_OBJECTS:
            raise _broken(f"the listing holds more than {MAX_OBJECTS:,} objects", call)
        if size > MAX_BYTES:
            raise _broken(f"the listing is larger than {MAX_BYTES:,} bytes", call)
        following = read_next(answer, token, found)
        if following is not None and following in seen:
            raise _broken(f"the listing repeats its page token {begun(following)}", call)
        yield RawPage(found, token, following)
        if following is None:
            return
        seen.add(following)
        token = following
    raise _broken(f"the listing does not end after {MAX_PAGES} pages", call)


def _at(answer: Any, place: str) -> Any:
    for key in place.split(".") if place else ():
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer


def _items(answer: Any, place: str, call: Call | None) -> list[Any]:
    found = _at(answer, place)
    if not isinstance(found, list):
        raise _broken(f"the page has no list {place!r}" if place else "the page is no list", call)
    return found


def _token_at(answer: Any, place: str, call: Call | None) -> str | None:
    found = _at(answer, place)
    if found is None or found == "":
        return None
    if not isinstance(found, str):
        raise _broken(f"the page token {place!r} is {begun(found)}, not text", call)
    return found


def _number_at(answer: Any, place: str, call: Call | None) -> int:
    found = _at(answer, place)
    if not isinstance(found, int) or isinstance(found, bool):
        raise _broken(f"{place!r} of the page is {begun(found)}, not a whole number", call)
    return found


def _broken(message: str, call: Call | None) -> Malformed:
    return Malformed(message, call=call)

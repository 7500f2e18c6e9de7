"""By id: all records of a listing, page by page, each page beginning after the id of the last.

So what is deleted meanwhile moves none of the others. In the end the server counts them: where that
is another number, some were made or deleted meanwhile, and all are read again.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from connectors.calling.paging import MAX_OBJECTS
from connectors.calling.parsing import begun
from connectors.contract.errors import Malformed, Rejected, Transient

PAGE_SIZE: Final = 1000
_READINGS: Final = 3
"""How often a listing is read in which records come and go."""
_TOO_LARGE: Final = 413
_SMALLEST: Final = 10

PageAfter: TypeAlias = Callable[[int, int], Any]
"""From an id and a size to the first records, so many, whose id is greater, in order of ids."""


class ById:
    """Reads listings by id; the size of pages is halved where a server takes no larger ones."""

    def __init__(self, page_size: int = PAGE_SIZE) -> None:
        self.page_size = page_size

    def all(self, what: str, page: PageAfter, count: Callable[[], int]) -> list[dict[str, Any]]:
        """All records of `what`; `count` is the server's own word for how many there are.

        Raises `Malformed` for pages that are none, `Transient` where records come and go.
        """
        for reading in range(_READINGS):
            # A short page is the last, as the count proves; where it did not, that may be why.
            found = list(self._walk(what, page, short_is_last=reading == 0))
            if count() == len(found):
                return found
        raise Transient(f"records of {what} come and go while they are read")

    def _walk(self, what: str, page: PageAfter, *, short_is_last: bool) -> Iterator[dict[str, Any]]:
        last, seen, more = 0, 0, True
        while more:
            size = self.page_size
            records = self._page(what, page, last)
            full = len(records) >= min(size, self.page_size)
            more = bool(records) and (full or not short_is_last)
            for record in records:
                last, seen = _id_after(what, last, record), seen + 1
                if seen > MAX_OBJECTS:
                    raise Malformed(f"{what}: there are more than {MAX_OBJECTS:,} records")
                yield record

    def _page(self, what: str, page: PageAfter, last: int) -> list[Any]:
        while True:
            try:
                found = page(last, self.page_size)
            except Rejected as error:
                status = error.call.status if error.call else None
                if status != _TOO_LARGE or self.page_size <= _SMALLEST:
                    raise
                self.page_size //= 2  # the server's own limit of records
                continue
            if not isinstance(found, list):
                raise Malformed(f"{what}: the answer is no list of records")
            return found


def _id_after(what: str, last: int, record: Any) -> int:
    id = record.get("id") if isinstance(record, dict) else None
    if not isinstance(id, int) or isinstance(id, bool) or id <= last:
        raise Malformed(f"{what}: after the id {last} comes {begun(id)}")
    return id

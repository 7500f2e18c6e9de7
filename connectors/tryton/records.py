"""Records: all of a model that meet a domain, read page by page and proved to be all.

Pages go by id, so what is deleted meanwhile moves none of the others. In the end Tryton counts
them: where that is another number, some were made or deleted meanwhile, and all are read again.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from connectors.calling.parsing import begun, decoded
from connectors.contract.errors import Malformed, Rejected, Transient, Unsupported
from connectors.tryton.wire import Model, Preferences, Shape, data_of

PAGE_SIZE: Final = 1000
_READINGS: Final = 3
"""How often a listing is read in which records come and go."""
_TOO_LARGE: Final = 413
_SMALLEST: Final = 10

Domain = Sequence[Any]
"""Clauses such as ["company", "=", 1], which all are to be met."""


class Records(ABC):
    """What a Tryton is asked, whichever way it is asked; `close` it when done."""

    page_size: int = PAGE_SIZE

    @abstractmethod
    def preferences(self) -> Preferences:
        """Which companies' records the user is shown, as of now."""

    @abstractmethod
    def page(self, model: str, domain: Domain, fields: Sequence[str], size: int) -> Any:
        """The first `size` records that meet the domain, by id."""

    def write(self, model: str, amounts: Mapping[int, Decimal], stamps: Mapping[int, str]) -> None:
        """Change the amounts of records, all or none, and each only as its stamp says it was read.

        Raises `Stale` where one was changed since.
        """
        raise Unsupported("REST takes no lock, so nothing is written by it")

    def create(self, model: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Make new records, all or none."""
        raise Unsupported("REST takes no lock, so nothing is written by it")

    @abstractmethod
    def close(self) -> None:
        """End the session and give back the connections."""

    @abstractmethod
    def counted(self, model: str, domain: Domain) -> Any:
        """What Tryton says of how many records meet the domain."""

    def count(self, model: str, domain: Domain) -> int:
        """How many records meet the domain."""
        found = self.counted(model, domain)
        if not isinstance(found, int):
            raise Malformed(f"{model}: {begun(found)} is no number of records")
        return found

    def all(self, model: Model[Shape], domain: Domain) -> list[Shape]:
        """All records that meet the domain; raises `Malformed` for one that cannot be read."""
        for _ in range(_READINGS):
            found = list(self._walk(model, domain))
            if self.count(model.name, domain) == len(found):
                return [_record(model, each) for each in found]
        raise Transient(f"records of {model.name} come and go while they are read")

    def _walk(self, model: Model[Any], domain: Domain) -> Iterator[dict[str, Any]]:
        """Page by page; a short one is the last, as the count proves."""
        last, more = 0, True
        while more:
            size = self.page_size
            page = self._page(model.name, [*domain, ["id", ">", last]], model.fields)
            more = bool(page) and len(page) >= min(size, self.page_size)
            for record in page:
                id = record.get("id") if isinstance(record, dict) else None
                if not isinstance(id, int) or id <= last:
                    raise Malformed(f"{model.name}: after the id {last} comes {begun(id)}")
                last = id
                yield record

    def _page(self, model: str, domain: Domain, fields: Sequence[str]) -> list[Any]:
        while True:
            try:
                page = self.page(model, domain, fields, self.page_size)
            except Rejected as error:
                status = error.call.status if error.call else None
                if status != _TOO_LARGE or self.page_size <= _SMALLEST:
                    raise
                self.page_size //= 2  # the server's own limit of records
                continue
            if not isinstance(page, list):
                raise Malformed(f"{model}: the answer is no list of records")
            return page


def _record(model: Model[Shape], record: Any) -> Shape:
    try:
        return decoded(model.shape, data_of(record))
    except Malformed as error:
        raise Malformed(f"{model.name},{record['id']}: {error.message}") from None

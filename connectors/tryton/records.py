"""Records: all of a model that meet a domain, read page by page and proved to be all."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.calling.by_id import ById
from connectors.calling.parsing import begun, decoded
from connectors.contract.errors import Malformed, Unsupported
from connectors.tryton.wire import Model, Preferences, Shape, data_of

Domain = Sequence[Any]
"""Clauses such as ["company", "=", 1], which all are to be met."""


class Records(ABC):
    """What a Tryton is asked, whichever way it is asked; `close` it when done."""

    def __init__(self) -> None:
        self.by_id = ById()

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

        def page(last: int, size: int) -> Any:
            return self.page(model.name, [*domain, ["id", ">", last]], model.fields, size)

        found = self.by_id.all(model.name, page, lambda: self.count(model.name, domain))
        return [_record(model, each) for each in found]


def _record(model: Model[Shape], record: Any) -> Shape:
    try:
        return decoded(model.shape, data_of(record))
    except Malformed as error:
        raise Malformed(f"{model.name},{record['id']}: {error.message}") from None

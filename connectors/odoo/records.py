"""Records: what an Odoo is asked, whichever way it is asked."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import Struct

from connectors.calling.by_id import ById
from connectors.calling.parsing import begun, decoded
from connectors.contract.errors import Malformed, Missing, Stale
from connectors.odoo.wire import USERS, User

Domain = Sequence[Any]
"""Clauses such as ["company_id", "=", 1], which all are to be met."""
Shape = TypeVar("Shape", bound=Struct)
_BY_ID: Final = "id asc"


class Records(ABC):
    """The records of one database, as one user sees them; `close` it when done."""

    def __init__(self) -> None:
        self.by_id = ById()

    @abstractmethod
    def asked(
        self,
        model: str,
        method: str,
        said: Mapping[str, Any],
        *,
        ids: Sequence[int] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        """What a method that only reads returns; `said` are its arguments, in their order."""

    @abstractmethod
    def change(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> Any:
        """Write the values into the records, all or none of them; what Odoo returns.

        Raises `Missing` where one of them is gone.
        """

    @abstractmethod
    def user(self) -> int:
        """Who we are: proves address, database and credential."""

    @abstractmethod
    def close(self) -> None:
        """Give back the connections."""

    def ask(self, model: str, method: str, said: Mapping[str, Any], **more: Any) -> Any:
        """As `asked`; that something is not found is no proof that a budget is gone."""
        try:
            return self.asked(model, method, said, **more)
        except Missing as error:
            raise Malformed(f"{model} is not found: {error.message}", call=error.call) from None

    def companies(self) -> Sequence[int]:
        """The companies whose records the user is shown, as of now."""
        said = {"fields": ["company_ids"]}
        found = self.ask(USERS, "read", said, ids=[self.user()])
        if not isinstance(found, list):
            raise Malformed(f"{USERS}: {begun(found)} is no list of records")
        return record_of(USERS, User, found[0]).company_ids if found else []

    def fields(self, model: str, names: Sequence[str]) -> Mapping[str, str | None]:
        """Those of the fields that the model has, and what model each refers to."""
        said = {"allfields": list(names), "attributes": ["type", "relation"]}
        found = self.ask(model, "fields_get", said)
        if not isinstance(found, dict):
            raise Malformed(f"{model}: {begun(found)} is no description of fields")
        return {name: _relation(about) for name, about in found.items() if name in names}

    def raw(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        context: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """All records that meet the domain, as they came."""

        def page(last: int, size: int) -> Any:
            within = [*domain, ["id", ">", last]]
            said = {"domain": within, "fields": list(fields), "offset": 0, "limit": size}
            return self.ask(model, "search_read", {**said, "order": _BY_ID}, context=context)

        def count() -> int:
            found = self.ask(model, "search_count", {"domain": list(domain)}, context=context)
            if not isinstance(found, int) or isinstance(found, bool):
                raise Malformed(f"{model}: {begun(found)} is no number of records")
            return found

        return self.by_id.all(model, page, count)

    def all(
        self,
        model: str,
        shape: type[Shape],
        domain: Domain,
        context: Mapping[str, Any] | None = None,
    ) -> list[Shape]:
        """All records that meet the domain; raises `Malformed` for one that cannot be read."""
        names = [each for each in shape.__struct_fields__ if each != "id"]
        return [record_of(model, shape, each) for each in self.raw(model, domain, names, context)]

    def write(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> None:
        """Write the values into the records, all or none; raises `Stale` where one is gone.

        That Odoo returns nothing of it, as a method may, says nothing against it.
        """
        try:
            found = self.change(model, ids, values)
        except Missing as error:
            raise Stale(f"a line is gone: {error.message}", call=error.call) from None
        if found not in (True, None):
            raise Malformed(f"{model}: a change is answered with {begun(found)}")


def record_of(model: str, shape: type[Shape], record: Any) -> Shape:
    """The record in its shape; raises `Malformed` naming it."""
    try:
        return decoded(shape, record)
    except Malformed as error:
        id = record.get("id") if isinstance(record, dict) else None
        raise Malformed(f"{model},{begun(id)}: {error.message}") from None


def _relation(about: Any) -> str | None:
    found = about.get("relation") if isinstance(about, dict) else None
    return found if isinstance(found, str) else None

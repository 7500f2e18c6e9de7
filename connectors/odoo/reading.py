"""Reading: the lines of one company's budgets that the settings choose."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from connectors.contract.errors import Malformed, Rejected
from connectors.erp.entries import Unread
from connectors.odoo.company import Books, books_of, company_of
from connectors.odoo.declared import OdooSettings
from connectors.odoo.entries import Known, Planned, entries_of, ours_of
from connectors.odoo.records import Records, record_of
from connectors.odoo.wire import ACCOUNTS, FAMILIES, Account, Company, Document, Family

_IN: Final = 500
"""Ids in one clause."""
_CANCELLED: Final = ("cancel", "canceled")
_ARCHIVED_TOO: Final = {"active_test": False}


@dataclass(frozen=True, slots=True)
class Read:
    """What the lines of the chosen budgets plan. `without` is how many name no account."""

    books: Books
    entries: Sequence[Planned]
    unread: Sequence[Unread]
    without: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Where this Odoo keeps budgets: its family, as the settings change it, and what model the
    positions are of."""

    family: Family
    positions: str | None


class Reader:
    """The budgets of one company in one Odoo, read afresh each time."""

    def __init__(self, name: str, settings: OdooSettings, records: Records) -> None:
        self._name, self._settings, self._records = name, settings, records
        self._table = f"[systems.{name}]"
        self._kept: Kept | None = None

    @property
    def family(self) -> Family:
        """The models that are read, once something was."""
        assert self._kept is not None
        return self._kept.family

    def company(self) -> Company:
        """Whose books they are; raises `Forbidden` where the user is shown none."""
        return company_of(self._records, self._name, self._settings.company)

    def read(self, accounts: Collection[int] | None = None) -> Read:
        """The lines of the budgets in force; only those of `accounts`, where they are given.

        Raises `Rejected` where the settings choose none of those that there are.
        """
        books = books_of(self._records, self.company())
        found = self._documents(self._where().family, books)
        documents, unknown = self._counting(found)
        return self._taken(self._planned(books, documents, unknown, accounts))

    def kept(self) -> Read:
        """The lines of the budgets that keep what is spent; raises `Rejected` where there are none.

        They count in whatever state they are, but where they are cancelled.
        """
        name = self._settings.actuals_budget
        if name is None:
            hint = f"Name the budgets that are there for it: actuals_budget in {self._table}"
            raise Rejected(f"{self._name}: no budget of actuals is named", hint=hint)
        books = books_of(self._records, self.company())
        found = self._documents(self._where().family, books)
        self._counting(found)  # raises where one is both
        documents = {each.id: each for each in found if self._keeps(each)}
        if not documents:
            hint = f"Copy those that are read, or check actuals_budget in {self._table}"
            raise Rejected(f"{self._name}: no budget of Odoo is called {name!r}", hint=hint)
        return self._planned(books, documents, {}, None)

    def _planned(
        self,
        books: Books,
        documents: Mapping[int, Document],
        unknown: Mapping[int, str],
        accounts: Collection[int] | None,
    ) -> Read:
        """What the lines of these documents say."""
        kept = self._where()
        lines = self._lines(kept.family, documents, accounts)
        known = Known(
            family=kept.family,
            documents=documents,
            accounts=self._accounts(lines, kept),
            positions=kept.positions,
            unknown=unknown,
            sign=self._settings.sign,
        )
        entries: list[Planned] = []
        unread: list[Unread] = []
        for each in entries_of(lines, known):
            if isinstance(each, Unread):
                unread.append(each)
            else:
                entries.append(each)
        without = sum(line.get("account") is False for line in lines)
        return Read(books, entries, unread, without)

    def _taken(self, read: Read) -> Read:
        """Of the accounts that the settings take."""
        only = self._settings.accounts
        return replace(
            read,
            entries=[each for each in read.entries if _like(each.whose.ref, only)],
            unread=[each for each in read.unread if each.ref is None or _like(each.ref, only)],
        )

    # -- where budgets are kept ----------------------------------------------------------------

    def _where(self) -> Kept:
        """Where budgets are kept; asked once. Raises `Malformed` where they are not."""
        if self._kept is None:
            named = self._settings.budget_model
            families = [FAMILIES[named]] if named else [*FAMILIES.values()]
            faults: list[str] = []
            found = [kept for each in families if (kept := self._there(each, faults))]
            if not found:
                hint = "Install budgets (account_budget, or OCA's account_budget_oca) in Odoo"
                raise Malformed(f"{self._name}: {'; '.join(faults)}", hint=hint)
            if len(found) > 1:
                names = ", ".join(each.family.documents for each in found)
                hint = f"Set budget_model in {self._table}"
                raise Rejected(f"{self._name}: budgets are kept in {names}", hint=hint)
            (self._kept,) = found
        return self._kept

    def _there(self, family: Family, faults: list[str]) -> Kept | None:
        settings = self._settings
        position = (settings.position_field or family.position) if settings.allocations else None
        family = replace(
            family, account=settings.account_field or family.account, position=position
        )
        wanted = [*family.line_fields().values()]
        try:
            relations = self._records.fields(family.lines, wanted)
        except (Rejected, Malformed) as error:
            faults.append(f"there is no {family.lines} ({error.message})")
            return None
        if missing := sorted(set(wanted) - relations.keys()):
            faults.append(
                f"{family.lines} has no field {', '.join(missing)}: check account_field and "
                "position_field"
            )
            return None
        return Kept(family, relations[position] or position if position else None)

    # -- what is there -------------------------------------------------------------------------

    def _documents(self, family: Family, books: Books) -> Sequence[Document]:
        """All documents of the company, and those of none."""
        of_company = [["company_id", "in", [books.id, False]]]
        raw = self._all(family.documents, of_company, family.document_fields())
        return [record_of(family.documents, Document, each) for each in raw]

    def _counting(
        self, found: Sequence[Document]
    ) -> tuple[Mapping[int, Document], Mapping[int, str]]:
        """The documents that count, with those of which nobody can say whether they do, and why."""
        family = self._where().family
        in_force = self._settings.states or family.in_force
        known = {*in_force, *family.in_force, *family.passed_over}
        counting: dict[int, Document] = {}
        unknown: dict[int, str] = {}
        for each in found:
            if not _like(each.name, self._settings.names):
                continue
            if each.state not in known:
                said = f"its budget {each.name!r} is in a state that nobody knows, {each.state!r}"
                unknown[each.id] = f"{said}; say in states which count"
            if each.state in in_force or each.id in unknown:
                counting[each.id] = each
        if found and not counting:
            message = f"{self._name}: the settings choose none of Odoo's {len(found)} budgets"
            raise Rejected(message, hint=f"Check names and states of {self._table}")
        for each in counting.values():
            if self._keeps(each):
                message = f"{self._name}: {each.name!r} is read as a budget, and to keep actuals"
                hint = f"Name it in names or in actuals_budget of {self._table}, not in both"
                raise Rejected(message, hint=hint)
        return counting, unknown

    def _keeps(self, document: Document) -> bool:
        """Whether it is there to keep what is spent."""
        name = self._settings.actuals_budget
        cancelled = document.state in _CANCELLED
        return name is not None and fnmatchcase(document.name, name) and not cancelled

    def _lines(
        self, family: Family, documents: Mapping[int, Document], accounts: Collection[int] | None
    ) -> list[Mapping[str, Any]]:
        named = family.line_fields()
        only = [] if accounts is None else [[family.account, "in", list(accounts)]]
        return [
            ours_of(family, record)
            for ids in _chunks(documents)
            for record in self._all(
                family.lines, [[family.document, "in", ids], *only], [*named.values()]
            )
        ]

    def _accounts(self, lines: Iterable[Mapping[str, Any]], kept: Kept) -> Mapping[int, Account]:
        """The analytic accounts that the lines name; those that are archived too."""
        of = ["account", *(["position"] if kept.positions == ACCOUNTS else [])]
        pairs = (line.get(each) for line in lines for each in of)
        ids = {pair[0] for pair in pairs if isinstance(pair, list) and _is_id(pair[:1])}
        found = {}
        for some in _chunks(sorted(ids)):
            domain = [["id", "in", some]]
            for each in self._records.all(ACCOUNTS, Account, domain, _ARCHIVED_TOO):
                found[each.id] = each
        return found

    def _all(
        self, model: str, domain: Sequence[Any], fields: Sequence[str]
    ) -> list[dict[str, Any]]:
        """All records; that there are none is believed only of a user who is shown the company
        after it too."""
        found = self._records.raw(model, domain, fields)
        if not found:
            self.company()
        return found


def _is_id(some: Sequence[Any]) -> bool:
    return len(some) == 1 and isinstance(some[0], int) and not isinstance(some[0], bool)


def _chunks(ids: Iterable[int]) -> Iterable[list[int]]:
    whole = list(ids)
    return (whole[begin : begin + _IN] for begin in range(0, len(whole), _IN))


def _like(text: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)

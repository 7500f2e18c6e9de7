"""Reading: the budgets of one company that the settings choose, line by line."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from canonical.period import Period
from connectors.contract.errors import Rejected
from connectors.erp.entries import Entry, Unread, parted
from connectors.tryton.company import company_of
from connectors.tryton.declared import TrytonSettings
from connectors.tryton.entries import account_entries, analytic_entries
from connectors.tryton.records import Records
from connectors.tryton.wire import (
    ACCOUNT_BUDGETS,
    ACCOUNT_LINES,
    ANALYTIC_BUDGETS,
    ANALYTIC_LINES,
    FISCAL_YEARS,
    LINE_PERIODS,
    AccountBudget,
    AccountLine,
    AnalyticBudget,
    Company,
    FiscalYear,
    LinePeriod,
    Model,
    Shape,
)

_IN: Final = 500
"""Ids in one clause."""


@dataclass(frozen=True, slots=True)
class Read:
    """What the lines of the chosen budgets state, and the company's currency."""

    unit: str
    entries: Sequence[Entry]
    unread: Sequence[Unread]


@dataclass(frozen=True, slots=True)
class AccountRead:
    """The lines of one account budget."""

    budget: AccountBudget
    entries: Sequence[Entry]
    unread: Sequence[Unread]


@dataclass(frozen=True, slots=True)
class KeptRead:
    """The budgets of actuals, beside those of which they are copies, and the company's currency."""

    unit: str
    name: str
    planned: Sequence[AnalyticBudget]
    kept: Sequence[AnalyticBudget]
    planned_lines: Sequence[Entry]
    kept_lines: Sequence[Entry]

    def budget(self, period: Period) -> AnalyticBudget:
        """The one that keeps what is spent in `period`; raises `Rejected` where there is none, and
        where none that is read counts then: it may be the budget itself."""
        found = [each for each in self.kept if _span(each) == period]
        if len(found) == 1 and not any(_span(each) == period for each in self.planned):
            raise Rejected(f"beside {found[0].name!r} no budget that is read counts {period}")
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(repr(each.name) for each in found)
            raise Rejected(f"several budgets called {self.name!r} count {period}: {names}")
        raise Rejected(f"no budget called {self.name!r} counts {period}: copy the one that does")

    def lines(self, period: Period, ref: str) -> tuple[Sequence[Entry], Sequence[Entry]]:
        """The lines for that ref in the budgets that are read, and in the one of actuals."""

        def of(entries: Sequence[Entry]) -> Sequence[Entry]:
            return [each for each in entries if each.period == period and each.whose.ref == ref]

        return of(self.planned_lines), of(self.kept_lines)


class Books:
    """The books of one company in one Tryton, read afresh each time."""

    def __init__(self, name: str, settings: TrytonSettings, records: Records) -> None:
        self._name, self._settings, self._records = name, settings, records
        self._table = f"[systems.{name}]"

    def company(self) -> Company:
        """Whose books they are; raises `Forbidden` where the user is shown none."""
        return company_of(self._records, self._name, self._settings.company)

    def count(self) -> tuple[Company, int]:
        """Whose books they are, and how many of the budgets that are read Tryton has for them."""
        company = self.company()
        model = ANALYTIC_BUDGETS if self._settings.budgets == "analytic" else ACCOUNT_BUDGETS
        return company, self._records.count(model.name, _of(company))

    def keeping(self) -> int:
        """How many budgets there are to keep actuals; raises `Rejected` as `kept` does."""
        return len(self._sorted(self.company())[1])

    def analytic(self, accounts: Iterable[int] | None = None) -> Read:
        """The analytic budgets; only the lines of `accounts`, by their ids, where they are given.

        Raises `Rejected` where the settings choose none of those that there are.
        """
        company = self.company()
        found = self._all(ANALYTIC_BUDGETS, _of(company))
        budgets = self._rooted(self._chosen(found, self._years(company)))
        only = [] if accounts is None else [["account", "in", list(accounts)]]
        lines = self._below(ANALYTIC_LINES, "budget", budgets, only)
        entries, unread = parted(analytic_entries(budgets, lines))
        return Read(company.currency.code, entries, unread)

    def kept(self, periods: Collection[Period]) -> KeptRead:
        """The budgets of actuals for those periods, and those that are read.

        Raises `Rejected` where none is called as the settings say.
        """
        company = self.company()
        planned, kept = (
            [each for each in of if _span(each) in periods] for of in self._sorted(company)
        )
        lines = [
            parted(analytic_entries(of, self._below(ANALYTIC_LINES, "budget", of)))[0]
            for of in (planned, kept)
        ]
        name = self._settings.actuals_budget or ""
        return KeptRead(company.currency.code, name, planned, kept, *lines)

    def _sorted(
        self, company: Company
    ) -> tuple[Sequence[AnalyticBudget], Sequence[AnalyticBudget]]:
        """The budgets that are read, and those of actuals of the same root."""
        name = self._settings.actuals_budget
        if name is None:
            hint = f"Name the budgets that are there for it: actuals_budget in {self._table}"
            raise Rejected(f"{self._name}: no budget of actuals is named", hint=hint)
        found = self._all(ANALYTIC_BUDGETS, _of(company))
        planned = self._rooted(self._chosen(found, self._years(company)))
        roots = {each.root.id for each in planned}
        kept = [each for each in found if self._keeps(each) and each.root.id in roots]
        if not kept:
            hint = f"Copy those that are read, or check actuals_budget in {self._table}"
            raise Rejected(f"{self._name}: no analytic budget is called {name!r}", hint=hint)
        return planned, kept

    def by_account(self, names: Sequence[str]) -> tuple[str, Sequence[AccountRead]]:
        """The company's currency, and those account budgets whose name is like one of `names`, all
        where none is given."""
        company = self.company()
        found = self._all(ACCOUNT_BUDGETS, _of(company))
        years = {each.id for each in self._years(company) or ()}
        chosen = [
            each
            for each in found
            if _like(each.name, names) and (not years or each.fiscalyear.id in years)
        ]
        self._unless_none(chosen, found)
        lines = self._below(ACCOUNT_LINES, "budget", chosen)
        periods = self._below(LINE_PERIODS, "budget_line", lines)
        return company.currency.code, self._joined(chosen, lines, periods, company.currency.code)

    def _joined(
        self,
        budgets: Sequence[AccountBudget],
        lines: Sequence[AccountLine],
        periods: Sequence[LinePeriod],
        unit: str,
    ) -> Sequence[AccountRead]:
        by_budget: dict[int, list[AccountLine]] = defaultdict(list)
        by_line: dict[int, list[LinePeriod]] = defaultdict(list)
        for line in lines:
            by_budget[line.budget].append(line)
        for part in periods:
            by_line[part.budget_line].append(part)
        found = []
        for budget in budgets:
            own = by_budget[budget.id]
            parts = [part for line in own for part in by_line[line.id]]
            entries, unread = parted(account_entries(budget, own, parts, unit))
            entries = [each for each in entries if self._takes(each.whose.ref)]
            unread = [each for each in unread if each.ref is None or self._takes(each.ref)]
            found.append(AccountRead(budget, entries, unread))
        return found

    def _takes(self, ref: str) -> bool:
        return _like(ref, self._settings.accounts)

    def _years(self, company: Company) -> Sequence[FiscalYear] | None:
        """The fiscal years that the settings name; None where they name none."""
        named = self._settings.fiscal_years
        if not named:
            return None
        domain = [*_of(company), ["name", "in", list(named)]]
        found = self._records.all(FISCAL_YEARS, domain)
        if missing := set(named) - {each.name for each in found}:
            message = f"{self._name}: there is no fiscal year {', '.join(sorted(missing))}"
            raise Rejected(message, hint=f"Check fiscal_years of [systems.{self._name}]")
        return found

    def _chosen(
        self, found: Sequence[AnalyticBudget], years: Sequence[FiscalYear] | None
    ) -> Sequence[AnalyticBudget]:
        chosen = [
            each
            for each in found
            if _like(each.name, self._settings.names)
            and (years is None or any(_within(each, year) for year in years))
        ]
        self._unless_none(chosen, found)
        for each in chosen:
            if self._keeps(each):
                message = f"{self._name}: {each.name!r} is read as a budget, and to keep actuals"
                hint = f"Name it in names or in actuals_budget of {self._table}, not in both"
                raise Rejected(message, hint=hint)
        return chosen

    def _keeps(self, budget: AnalyticBudget) -> bool:
        """Whether it is a budget of actuals, as far as its name goes."""
        name = self._settings.actuals_budget
        return name is not None and fnmatchcase(budget.name, name)

    def _rooted(self, budgets: Sequence[AnalyticBudget]) -> Sequence[AnalyticBudget]:
        """Those of the one root that is read."""
        named, hint = self._settings.root, f"Set root in [systems.{self._name}]"
        roots = {each.root.id: each.root for each in budgets}
        if named is None:
            if len(roots) > 1:
                names = ", ".join(sorted(each.name for each in roots.values()))
                message = f"{self._name}: there are budgets of several roots: {names}"
                raise Rejected(message, hint=hint)
            return budgets
        chosen = [each for each in budgets if named in (each.root.code, each.root.name)]
        if budgets and not chosen:
            raise Rejected(f"{self._name}: no budget is of a root {named!r}", hint=hint)
        return chosen

    def _all(self, model: Model[Shape], domain: Sequence[Any]) -> list[Shape]:
        """All records; that there are none is believed only of a user who is shown the company's
        records after it too."""
        found = self._records.all(model, domain)
        if not found:
            self.company()
        return found

    def _unless_none(self, chosen: Sequence[Any], found: Sequence[Any]) -> None:
        if found and not chosen:
            message = f"{self._name}: the settings choose none of Tryton's {len(found)} budgets"
            hint = f"Check names, allocations and fiscal_years of [systems.{self._name}]"
            raise Rejected(message, hint=hint)

    def _below(
        self, model: Model[Shape], field: str, above: Sequence[Any], only: Sequence[Any] = ()
    ) -> list[Shape]:
        ids = [each.id for each in above]
        found: list[Shape] = []
        for begin in range(0, len(ids), _IN):
            found += self._all(model, [[field, "in", ids[begin : begin + _IN]], *only])
        return found


def _of(company: Company) -> list[Any]:
    return [["company", "=", company.id]]


def _span(budget: AnalyticBudget) -> Period:
    return Period(budget.start_date, budget.end_date)


def _within(budget: AnalyticBudget, year: FiscalYear) -> bool:
    return year.start_date <= budget.start_date and budget.end_date <= year.end_date


def _like(text: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)

"""Documents: what each budget states, exactly as the listing showed it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from connectors.calling.parsing import begun, decoded
from connectors.contract.errors import Malformed, Missing
from connectors.erpnext.lines import Line, line_of, lines_of
from connectors.erpnext.site import Site
from connectors.erpnext.tables import with_rows
from connectors.erpnext.wire import (
    BUDGET,
    AccountBudget,
    FiscalYear,
    Header,
    MonthlyDistribution,
    YearBudget,
    form_of,
    with_against,
)

_DISTRIBUTION: Final = "Monthly Distribution"


class Changed(Exception):
    """A document is not what the listing showed."""


class Documents:
    """Single documents, each as its header shows it."""

    def __init__(self, site: Site, years: Mapping[str, FiscalYear], unit: str) -> None:
        self._site, self._years, self._unit = site, years, unit
        self._distributions: dict[str, MonthlyDistribution] = {}
        self._together: Mapping[str, AccountBudget] = {}

    def prefetch(self, headers: Sequence[Header]) -> None:
        """Get what can be had of many documents in one call."""
        self._together = with_rows(self._site, headers)

    def lines(self, header: Header) -> Sequence[Line]:
        """What the document states; raises `Changed` where it is another by now.

        Of what was prefetched that is seen by whoever lists the headers again.
        """
        if header.name in self._together:
            with suppress(Malformed):  # it may be whole by itself
                return [line_of(self._together[header.name], self._unit)]
        record = self._record(header)
        form = form_of(record)
        if form is AccountBudget:
            return [line_of(decoded(AccountBudget, record), self._unit)]
        budget = decoded(YearBudget, record)
        year = self._years.get(budget.fiscal_year)
        if year is None:
            raise Malformed(f"its fiscal year {begun(budget.fiscal_year)} is not shown")
        by = self._distribution(budget.monthly_distribution)
        return list(lines_of(budget, year, by, self._unit))

    def _record(self, header: Header) -> Any:
        try:
            record = self._site.document(BUDGET, header.name)
        except Missing:
            raise Changed from None
        if decoded(Header, with_against(record)).stamp != header.stamp:
            raise Changed
        return record

    def _distribution(self, name: str | None) -> MonthlyDistribution | None:
        if not name:
            return None
        if name not in self._distributions:
            try:
                record = self._site.document(_DISTRIBUTION, name)
            except Missing:
                raise Malformed(f"there is no {_DISTRIBUTION} {name!r}") from None
            self._distributions[name] = decoded(MonthlyDistribution, record)
        return self._distributions[name]

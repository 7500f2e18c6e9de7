"""Choice: which documents, and which of their accounts, the settings mean."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from connectors.erpnext.declared import ErpnextSettings
from connectors.erpnext.wire import DRAFT, SUBMITTED, FiscalYear, Header


class Choice:
    """What the settings mean; `years` are all fiscal years there are."""

    def __init__(self, settings: ErpnextSettings, years: Mapping[str, FiscalYear]) -> None:
        self._settings, self._years = settings, years
        self._states = {SUBMITTED, DRAFT} if settings.drafts else {SUBMITTED}
        self._named = [years[each] for each in settings.fiscal_years]

    def is_live(self, header: Header) -> bool:
        """Whether a document's money counts in ERPNext, whatever the settings mean beyond that."""
        return header.docstatus in self._states

    def counts(self, header: Header) -> bool:
        """Whether its money counts, and is meant."""
        return self.is_live(header) and self.means(header)

    def means(self, header: Header) -> bool:
        """Whether it is against what is read, in a fiscal year that is."""
        if header.budget_against not in self._settings.against:
            return False
        first = header.from_fiscal_year or header.fiscal_year
        last = header.to_fiscal_year or first
        return not self._named or self._touches(first, last)

    def takes(self, account: str) -> bool:
        """Whether the account is read."""
        patterns: Sequence[str] = self._settings.accounts
        return not patterns or any(fnmatchcase(account, each) for each in patterns)

    def _touches(self, first: str | None, last: str | None) -> bool:
        """Whether a fiscal year that is named lies in those; where they are not shown, whether one
        of them is named."""
        begins, ends = self._years.get(first or ""), self._years.get(last or "")
        if begins is None or ends is None:
            return any(each.name in (first, last) for each in self._named)
        return any(
            begins.year_start_date <= each.year_end_date
            and each.year_start_date <= ends.year_end_date
            for each in self._named
        )

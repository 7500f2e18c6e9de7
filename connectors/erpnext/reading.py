"""Reading: the documents of one company that count, as one whole that nobody changed meanwhile."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from canonical.allocation import Status
from canonical.errors import CanonicalError
from connectors.calling.parsing import begun, decoded
from connectors.contract.errors import Forbidden, Malformed, Rejected, Transient
from connectors.erpnext.choice import Choice
from connectors.erpnext.company import company_of, whole_view
from connectors.erpnext.declared import ErpnextSettings
from connectors.erpnext.documents import Changed, Documents
from connectors.erpnext.lines import Line
from connectors.erpnext.site import Site
from connectors.erpnext.wire import (
    BUDGET,
    CANCELLED,
    COST_CENTER,
    DRAFT,
    PROJECT,
    SUBMITTED,
    Company,
    CostCenter,
    FiscalYear,
    Header,
    Project,
    field_of,
    is_seen,
    with_against,
)

_READINGS: Final = 3
"""How often budgets are read that are changed while they are."""
_OVER: Final = frozenset({"completed", "cancelled"})
_STATES: Final = frozenset({DRAFT, SUBMITTED, CANCELLED})


@dataclass(frozen=True, slots=True, order=True)
class Whose:
    """A cost centre, a project or the like: its kind and its name."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Why what is `whose` cannot be read, and which document says so."""

    whose: Whose
    document: str
    message: str


@dataclass(slots=True)
class Read:
    """What one company's documents state, and whose what cannot be read is."""

    unit: str
    lines: Mapping[Whose, list[Line]] = field(default_factory=lambda: defaultdict(list))
    aside: list[Aside] = field(default_factory=list)
    statuses: Mapping[Whose, Status] = field(default_factory=dict)


class Books:
    """The budgets of one company in one ERPNext, read afresh each time."""

    def __init__(self, name: str, settings: ErpnextSettings, site: Site) -> None:
        self._name, self._settings, self._site = name, settings, site

    def count(self) -> tuple[Company, int, bool]:
        """Whose books they are, how many documents count, and whether it is known that the user is
        shown all of them."""
        company = company_of(self._site, self._name, self._settings)
        whole = whole_view(self._site, self._name, self._settings)
        choice, headers = self._choice(), self._headers(company, [])
        return company, sum(map(choice.counts, headers)), whole

    def read(self) -> Read:
        """All that counts; raises `Transient` where documents come and go while they are read."""
        company = company_of(self._site, self._name, self._settings)
        whole_view(self._site, self._name, self._settings)
        for _ in range(_READINGS):
            try:
                return self._whole(company)
            except Changed:
                continue
        raise Transient(f"{self._name}: budgets are changed while they are read")

    def _whole(self, company: Company) -> Read:
        years = self._years()
        choice = Choice(self._settings, years)
        read = Read(company.default_currency)
        headers = self._headers(company, read.aside)
        self._unless_none(company, headers, choice, read)
        documents = Documents(self._site, years, company.default_currency)
        counted = [*filter(choice.counts, headers)]
        documents.prefetch(counted)
        for header in counted:
            self._add(read, header, documents, choice)
        self._hold_replaced(read, headers, documents, choice)
        read.statuses = self._statuses(company, read.lines)
        again = self._headers(company, [])
        if {each.stamp for each in headers} != {each.stamp for each in again}:
            raise Changed
        return read

    def _add(self, read: Read, header: Header, documents: Documents, choice: Choice) -> None:
        whose = _whose(header)
        try:
            lines = documents.lines(header)
        except (Malformed, CanonicalError) as error:
            read.aside.append(Aside(whose, header.name, _said(error)))
            return
        read.lines[whose] += [line for line in lines if choice.takes(line.account)]

    def _hold_replaced(
        self, read: Read, headers: Sequence[Header], documents: Documents, choice: Choice
    ) -> None:
        """Set aside whose document was cancelled for a draft that is not submitted yet, unless
        others state the same by now."""
        cancelled = {each.name: each for each in headers if each.docstatus == CANCELLED}
        for draft in headers:
            before = cancelled.get(draft.replaces or "")
            if draft.docstatus != DRAFT or choice.is_live(draft) or before is None:
                continue
            whose = _whose(before)
            if not choice.means(before) or self._is_stated(
                read.lines.get(whose, ()), before, documents, choice
            ):
                continue
            said = f"it was cancelled, and {draft.name}, which replaces it, is not submitted"
            read.aside.append(Aside(whose, before.name, said))

    def _is_stated(
        self, lines: Sequence[Line], before: Header, documents: Documents, choice: Choice
    ) -> bool:
        """Whether `lines` state some of the time of each account of the document before."""
        try:
            gone = [line for line in documents.lines(before) if choice.takes(line.account)]
        except (Malformed, CanonicalError):
            return False
        return all(any(_meet(line, each) for each in lines) for line in gone)

    # -- listings ----------------------------------------------------------------------------

    def _headers(self, company: Company, aside: list[Aside]) -> Sequence[Header]:
        """All documents of the company, whatever becomes of them."""
        found = []
        for record in self._site.records(BUDGET, [["company", "=", company.name]]):
            try:
                found.append(_header(record, company))
            except Malformed as error:
                aside += self._unread(record, error)
        return found

    def _unread(self, record: Mapping[str, Any], error: Malformed) -> Iterator[Aside]:
        """Whose what cannot be read is; raises `Malformed` where it does not say: any sum may lack
        it. A draft, or what was cancelled, is in no sum."""
        if record.get("docstatus") in (DRAFT, CANCELLED) and not self._settings.drafts:
            return
        kind = record.get("budget_against")
        name = record.get(field_of(kind)) if isinstance(kind, str) else None
        if isinstance(kind, str) and isinstance(name, str) and is_seen(name):
            yield Aside(Whose(kind, name), record["name"], error.message)
            return
        said = f"{BUDGET} {record['name']}: {error.message}"
        raise Malformed(f"{self._name}: {said}; whose money it is, it does not say")

    def _unless_none(
        self, company: Company, headers: Sequence[Header], choice: Choice, read: Read
    ) -> None:
        """Raises `Forbidden` where nothing at all is shown, as a user who may see no budgets is
        answered so; and `Rejected` where the settings mean none of those that count."""
        if not headers and not read.aside:
            raise Forbidden(
                f"{self._name}: the user is shown no budget of {company.name!r}, not even a draft",
                hint="Make one in ERPNext, or give the user the role Accounts Manager: ERPNext "
                "does not say which of the two it is",
            )
        live = [*filter(choice.is_live, headers)]
        if live and not any(map(choice.means, live)):
            message = f"{self._name}: the settings choose none of ERPNext's {len(live)} budgets"
            hint = f"Check against and fiscal_years of [systems.{self._name}]"
            raise Rejected(message, hint=hint)

    def _choice(self) -> Choice:
        return Choice(self._settings, self._years())

    def _years(self) -> Mapping[str, FiscalYear]:
        found = {each.name: each for each in self._site.all(FiscalYear, "Fiscal Year")}
        if missing := set(self._settings.fiscal_years) - found.keys():
            message = f"{self._name}: there is no fiscal year {', '.join(sorted(missing))}"
            raise Rejected(message, hint=f"Check fiscal_years of [systems.{self._name}]")
        return found

    def _statuses(self, company: Company, whose: Iterable[Whose]) -> Mapping[Whose, Status]:
        """Of cost centres and projects that are not shown there is none."""
        kinds = {each.kind for each in whose}
        own = [["company", "=", company.name]]
        found: dict[Whose, Status] = {}
        if COST_CENTER in kinds:
            for centre in self._site.all(CostCenter, COST_CENTER, own):
                off = Status.INACTIVE if centre.disabled else Status.ACTIVE
                found[Whose(COST_CENTER, centre.name)] = off
        if PROJECT in kinds:
            for project in self._site.all(Project, PROJECT):
                found[Whose(PROJECT, project.name)] = _status(project)
        return found


def _header(record: Any, company: Company) -> Header:
    header = decoded(Header, with_against(record))
    if header.company != company.name:
        raise Malformed(f"it is of the company {begun(header.company)}, which was not asked for")
    if header.docstatus not in _STATES:
        raise Malformed(f"docstatus: {header.docstatus} is neither draft, submitted nor cancelled")
    if header.against is None:
        raise Malformed(f"it does not say which {header.budget_against} it is against")
    return header


def _whose(header: Header) -> Whose:
    assert header.against is not None
    return Whose(header.budget_against, header.against)


def _status(project: Project) -> Status:
    if (project.status or "").lower() in _OVER:
        return Status.RETIRED
    return Status.INACTIVE if (project.is_active or "").lower() == "no" else Status.ACTIVE


def _meet(one: Line, other: Line) -> bool:
    return one.account == other.account and any(
        mine.period.overlaps(theirs.period) for mine in one.phases for theirs in other.phases
    )


def _said(error: Malformed | CanonicalError) -> str:
    return error.message if isinstance(error, Malformed) else f"{error}"

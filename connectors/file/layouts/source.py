"""The source that files are by a layout: budgets and allocations as a connector gives them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from canonical.kind import Kind
from canonical.problem import Problem
from canonical.text import joined
from connectors.contract.errors import Malformed, Missing, Transient, Unreadable
from connectors.contract.records import Check, Observed
from connectors.file.declared import FileSettings
from connectors.file.layouts.choosing import read_file
from connectors.file.paths import matching
from connectors.layouts.budgets import allocation_of, budget_of
from connectors.layouts.grouping import Grouped
from connectors.layouts.language import Layout
from connectors.layouts.loading import LayoutError, layout_of, over, table_of
from connectors.layouts.merging import merged_budgets
from connectors.layouts.questions import Finding
from connectors.layouts.reading import Reading
from connectors.rows.reading import Signature


@dataclass(slots=True)
class _Held:
    """What was read of the files, as long as they stay as they are."""

    signature: Signature
    readings: list[Reading]


class LayoutSource:
    """The files of one system, read by its layout."""

    def __init__(self, name: str, settings: FileSettings, base: Path) -> None:
        """Raises `Unreadable` for a layout that cannot be used."""
        self._name, self._settings, self._base = name, settings, base
        try:
            self._layout = _laid_out(settings, base)
        except LayoutError as error:
            raise Unreadable(f"the layout of {name}: {error}") from None
        self._held: _Held | None = None

    def check(self) -> Check:
        """Reads the files and tells how many budgets they hold."""
        held = self._read()
        counts = [each.groups.counts(each.findings.aside) for each in held.readings]
        budgets = {ref for refs, _ in counts for ref in refs}
        names = ", ".join(each.label for each in held.readings)
        shares = sum(count for _, count in counts)
        said = str(sum(each.rows for each in held.readings))
        notes = [f"{len(budgets)} budgets", f"{shares} allocations"]
        notes += [note for each in held.readings for note in each.notes]
        return Check(f"{names}: {said} rows", notes)

    def signature(self) -> Signature:
        """What tells the present content from another."""
        return self._signature(self._paths())

    def stream(self, kind: Kind, only: str | None = None) -> Iterator[Observed | Problem]:
        """Every object of that kind, or the one with id `only`, and every row that was refused."""
        held = self._read()
        for each in self._budgets(held):
            if isinstance(each, Finding):
                yield from self._problem(kind, each)
            else:
                yield from self._observed(kind, each, only)
        for reading in held.readings:
            for finding in reading.problems():
                yield from self._problem(kind, finding)
            told = {each.ref for each in reading.findings.told}
            for ref in sorted(reading.findings.aside - told - {""}):
                yield Problem(self._name, reading.label, f"{ref} is set aside", ref)

    def find(self, kind: Kind, id: str) -> Observed | None:
        """The object, None where there is none; raises `Malformed` where it is set aside."""
        budget = id.rpartition("/")[0] if kind is Kind.ALLOCATION else id
        for each in self.stream(kind, id):
            if isinstance(each, Observed):
                return each
            if each.ref == budget:
                raise Malformed(f"{each.where}: {each.message}")
        return None

    def get(self, kind: Kind, id: str) -> Observed:
        """As `find`; raises `Missing` where there is none."""
        found = self.find(kind, id)
        if found is None:
            raise Missing(f"there is no {kind} {id!r} in {self.label}")
        return found

    @property
    def label(self) -> str:
        """How the files are called."""
        return self._settings.path

    def _observed(self, kind: Kind, group: Grouped, only: str | None) -> Iterator[Observed]:
        unit = group.currency
        assert unit is not None
        budget = budget_of(group, unit)
        if kind is Kind.BUDGET:
            if only is None or only == group.ref:
                yield Observed(group.ref, budget, container=budget.parent)
            return
        for share in group.shares:
            made = allocation_of(share, group, budget, unit)
            id = joined(group.ref, made.ref)
            if only is None or only == id:
                yield Observed(id, made, container=group.ref)

    def _problem(self, kind: Kind, finding: Finding) -> Iterator[Problem]:
        """A fault of a budget is one of its allocations too: they are set aside with it."""
        message = finding.message
        if kind is Kind.ALLOCATION and finding.ref is not None:
            message = f"the allocations of {finding.ref} are set aside with it: {message}"
        yield Problem(self._name, finding.where, message, finding.ref)

    def _budgets(self, held: _Held) -> Iterator[Grouped | Finding]:
        return merged_budgets([(each.label, each.budgets()) for each in held.readings])

    # Files

    def _read(self) -> _Held:
        paths = self._paths()
        signature = self._signature(paths)
        if self._held is None or self._held.signature != signature:
            readings = [self._settled(path, read_file(path, self._layout)) for path in paths]
            if self._signature(paths) != signature:
                raise Transient(f"{self.label} changed while it was read", hint="Read it again")
            self._held = _Held(signature, readings)
        return self._held

    def _settled(self, path: Path, reading: Reading) -> Reading:
        if reading.open:
            asked = reading.open[0]
            said = "; or ".join(asked.readings)
            raise Unreadable(
                f"{path}: {asked.what} has to be said: {said}",
                hint=f"Set {asked.setting} in its layout; `trueup look` shows it",
            )
        if any(not each.currency for each in reading.groups.heads.values()):
            raise Unreadable(
                f"{path} names no currency", hint='Set currency = "USD", or what it is, for it'
            )
        return reading

    def _paths(self) -> Sequence[Path]:
        return matching(self._base, self._settings.path, self._settings.files)

    def _signature(self, paths: Sequence[Path]) -> Signature:
        try:
            found = [path.stat() for path in paths]
        except OSError as error:
            raise Unreadable(f"{self.label}: {error.strerror or error}") from None
        return (
            sum(each.st_mtime_ns for each in found),
            sum(each.st_size for each in found),
            sum(each.st_ino for each in found),
        )


def _laid_out(settings: FileSettings, base: Path) -> Layout:
    """The layout with what the system's own keys say of it put over it."""
    said = settings.layout
    table = table_of(said, base) if isinstance(said, str) else {}
    layout = said if isinstance(said, Layout) else layout_of(table)
    own = settings.model_fields_set
    file = {
        key: [value] if key in ("encoding", "delimiter") else value
        for key, value in (
            ("encoding", settings.encoding),
            ("delimiter", settings.delimiter),
            ("sheet", settings.sheet),
        )
        if key in own and value is not None
    }
    changes: dict[str, object] = {"file": file} if file else {}
    if "decimal" in own:
        changes["numbers"] = {"decimal": settings.decimal}
    if settings.currency is not None:
        changes["currency"] = settings.currency
    if not changes:
        return layout
    return layout_of(over(layout.model_dump(exclude_unset=True), changes))

"""The source that files are by a layout: budgets and allocations as a connector gives them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from canonical.kind import Kind
from canonical.problem import Problem
from connectors.contract.errors import Transient, Unreadable
from connectors.contract.records import Check, Observed
from connectors.file.declared import FileSettings
from connectors.file.layouts.choosing import read_file
from connectors.file.paths import is_several, matching, whole
from connectors.layouts.language import Layout
from connectors.layouts.loading import LayoutError, layout_of, over, table_of
from connectors.layouts.stated import Stated, ensure_settled
from connectors.rows.reading import Signature

_LOOK: Final = "; `trueup look` shows it"


@dataclass(slots=True)
class _Held:
    """What was read of the files, as long as they stay as they are."""

    signature: Signature
    stated: Stated


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
        stated = self._read()
        budgets, shares = stated.counts()
        names = ", ".join(each.label for each in stated.readings)
        said = str(sum(each.rows for each in stated.readings))
        notes = [f"{budgets} budgets", f"{shares} allocations"]
        notes += [note for each in stated.readings for note in each.notes]
        return Check(f"{names}: {said} rows", notes)

    def signature(self) -> Signature:
        """What tells the present content from another."""
        return self._signature(self._paths())

    def stream(self, kind: Kind, only: str | None = None) -> Iterator[Observed | Problem]:
        """Every object of that kind, or the one with id `only`, and every row that was refused."""
        yield from self._read().stream(kind, only)

    def find(self, kind: Kind, id: str) -> Observed | None:
        """The object, None where there is none; raises `Malformed` where it is set aside."""
        return self._read().find(kind, id)

    def get(self, kind: Kind, id: str) -> Observed:
        """As `find`; raises `Missing` where there is none."""
        return self._read().get(kind, id)

    @property
    def label(self) -> str:
        """How the files are called."""
        return self._settings.path

    # Files

    def _read(self) -> Stated:
        paths = self._paths()
        signature = self._signature(paths)
        if self._held is None or self._held.signature != signature:
            readings = [
                ensure_settled(read_file(path, self._layout), str(path), _LOOK) for path in paths
            ]
            if self._signature(paths) != signature:
                raise Transient(f"{self.label} changed while it was read", hint="Read it again")
            self._held = _Held(signature, Stated(self._name, self.label, readings))
        return self._held.stated

    def _paths(self) -> Sequence[Path]:
        path = whole(self._base, self._settings.path)
        if not is_several(self._base, self._settings.path):
            return [path]
        return matching(path, self._settings.files)

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

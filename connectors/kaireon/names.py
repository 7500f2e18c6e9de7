"""Names: what tells objects apart in Kaireon, and who has which.

Two objects of one title would be one, so each title is given away once: to what the listing shows,
else to the first that a plan asks for, else to the first that is made.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from threading import Lock
from typing import Any

from canonical.budget import Budget
from canonical.change import Kind
from canonical.identity import EntityMap
from connectors.contract.errors import Rejected
from connectors.kaireon.fitting import Model
from connectors.kaireon.series import Title, first_day, title_said
from connectors.kaireon.wire import GLOBAL


class Names:
    """The titles of one tenant, as last listed."""

    def __init__(self, system: str, entities: EntityMap) -> None:
        self._system = system
        self._entities = entities
        self._called: dict[str, str] = {}
        self._shown: dict[Kind, dict[Title, date | None]] = {}
        self._promised: dict[Title, tuple[str, str]] = {}
        self._making: set[Title] = set()
        self._lock = Lock()

    def show(self, kind: Kind, records: Iterable[Any]) -> None:
        """Take note of a listing; what was promised before is forgotten."""
        shown: dict[Title, date | None] = {}
        for record in records:
            title = title_said(record)
            if title and _kind(title) is kind:
                shown[title] = _earlier(shown.get(title), first_day(record))
        self._shown[kind] = shown
        self._promised.clear()

    def call(self, model: Model) -> None:
        """Take note of what a budget is called, for the titles of its allocations."""
        if isinstance(model, Budget):
            self._called[model.ref] = model.name

    def title(self, model: Model, name: str | None = None) -> Title:
        """The title of `model`; an allocation's budget has that `name`, or is called so."""
        if isinstance(model, Budget):
            return Title(model.name, GLOBAL, None)
        name = self._called.get(model.budget, "") if name is None else name
        return Title(name, model.entity.type, self._entities.theirs(model.entity))

    def begins(self, model: Model) -> date | None:
        """The first day of the rows that are listed under the title of `model`, if any."""
        title = self.title(model)
        return self._shown.get(_kind(title), {}).get(title)

    def promise(self, model: Model) -> str | None:
        """Give `model` its title in this plan; says why not where another has it."""
        title = self.title(model)
        by = ("", model.ref) if isinstance(model, Budget) else (model.budget, model.ref)
        shown = title in self._shown.get(_kind(title), ())
        if not shown and self._promised.setdefault(title, by) == by:
            return None
        return f"{self._said(title)}; {_HINT}"

    @contextmanager
    def alone(self, title: Title) -> Iterator[None]:
        """Two threads that make one thing would both find nothing, and both make it."""
        with self._lock:
            if title in self._making:
                raise self.taken(title)
            self._making.add(title)
        try:
            yield
        finally:
            with self._lock:
                self._making.discard(title)

    def taken(self, title: Title) -> Rejected:
        """The refusal of a write that would make two objects of one title."""
        return Rejected(self._said(title), hint=f"{_HINT[0].upper()}{_HINT[1:]}")

    def _said(self, title: Title) -> str:
        what = f"{title.scope} {title.scope_id}" if title.scope_id else "budget"
        return f"{self._system} has another {what} under the name {title.name!r}"


def _earlier(one: date | None, other: date | None) -> date | None:
    return min(one, other) if one and other else one or other


def _kind(title: Title) -> Kind:
    return Kind.BUDGET if title.scope == GLOBAL else Kind.ALLOCATION


_HINT = "names tell budgets apart here, entities their allocations"

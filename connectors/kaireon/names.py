"""Names: what tells objects apart in Kaireon, and who has which.

Two objects of one title would be one, so each title is given away once. Who is to have it a plan
decides, by what the capabilities say of unique names; here, that a budget and an allocation are not
taken for each other, and that of two makers of one title the first one has it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from threading import Lock

from canonical.allocation import Entity
from canonical.budget import Budget
from canonical.identity import EntityMap
from canonical.kind import Kind, kind_of
from connectors.contract.errors import Rejected
from connectors.kaireon.fitting import Model
from connectors.kaireon.scopes import scope_of
from connectors.kaireon.series import Title
from connectors.kaireon.wire import GLOBAL


class Names:
    """The titles of one tenant, as last listed."""

    def __init__(self, system: str, entities: EntityMap) -> None:
        self._system = system
        self._entities = entities
        self._called: dict[str, Title] = {}
        self._shown: dict[Kind, Mapping[Title, date | None]] = {}
        self._promised: set[Title] = set()
        self._making: set[Title] = set()
        self._lock = Lock()

    def show(self, kind: Kind, begins: Mapping[Title, date | None]) -> None:
        """Take note of a listing; what was promised before is forgotten."""
        self._shown[kind] = begins
        self._promised.clear()
        if kind is Kind.BUDGET:
            self._called.clear()

    def call(self, model: Model) -> None:
        """Take note of what a budget is called, for the titles of its allocations."""
        if isinstance(model, Budget):
            self._called[model.ref] = self.title(model)

    def is_scoped(self, budget: str) -> bool:
        """Whether the budget of that ref is for one category, offer or channel."""
        title = self._called.get(budget)
        return title is not None and title.scope != GLOBAL

    def title(self, model: Model, name: str | None = None) -> Title:
        """The title of `model`; an allocation's budget has that `name`, or is called so."""
        if isinstance(model, Budget):
            scope, id = scope_of(model)
            theirs = self._entities.theirs(Entity(scope, id)) if id is not None else None
            return Title(model.name, scope, theirs)
        above = self._called.get(model.budget)
        said = above.name if above else ""
        return Title(
            said if name is None else name, model.entity.type, self._entities.theirs(model.entity)
        )

    def begins(self, model: Model) -> date | None:
        """The first day of the rows that are listed under the title of `model`, if any."""
        return self._shown.get(kind_of(model), {}).get(self.title(model))

    def promise(self, model: Model) -> str | None:
        """Give `model` its title in this plan; says why not where its rows would be an allocation,
        or those of another one its own."""
        title = self.title(model)
        other = self._mixed(title) if isinstance(model, Budget) else None
        if other is not None:
            return f"{self._said(other)}; {_MIXED}"
        self._promised.add(title)
        return None

    def _mixed(self, title: Title) -> Title | None:
        """The budget whose rows and those of `title` would be one budget with an allocation.

        A global row takes no account of rows of a scope that the source does not mean to keep:
        they may be the allocations of one that somebody deleted.
        """
        shown, promised = self._shown.get(Kind.BUDGET, {}), self._promised
        if title.scope != GLOBAL:
            other = Title(title.name, GLOBAL, None)
            return other if other in shown or other in promised else None
        meant = (each for each in self._called.values() if each.name == title.name)
        scoped = (each for each in meant if each.scope != GLOBAL)
        return next((each for each in scoped if each in shown or each in promised), None)

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


_HINT = "names tell budgets apart here, entities their allocations"
_MIXED = "the rows of a scope would be an allocation of the global ones of their name"

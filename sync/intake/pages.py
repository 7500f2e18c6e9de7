"""Intake: the source as this sync reads it, page by page: what is selected of it, converted.

Without a selection and without rates the source's own pages pass as they are.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.change import Selected, UsedRate
from canonical.identity import folded
from canonical.kind import Kind
from canonical.loss import Effect, Loss
from canonical.problem import Problem
from canonical.rate import Converted
from connectors.contract.capabilities import Hold
from connectors.contract.interface import Connector
from connectors.contract.records import Page
from sync.decide import Wanted, joined
from sync.fields import OnNew
from sync.intake.convert import Converting
from sync.intake.select import Left, Selecting
from sync.spec import OnRemove, SyncSpec
from sync.state.ledger import Ledger


class Intake:
    """One reading of the source for one plan."""

    def __init__(
        self,
        spec: SyncSpec,
        source: Connector,
        target: Connector,
        ledger: Ledger,
        as_of: date,
    ) -> None:
        self._source, self._spec, self._ledger = source, spec, ledger
        adds = spec.fields.on_new is OnNew.CREATE
        self._selecting = Selecting(spec.select, ledger, names=adds) if spec.select else None
        self._holds_parents = target.capabilities.budget.get("parent") not in (None, Hold.DROPPED)
        able = target.capabilities
        self._converting = (
            Converting(spec.rates, able, as_of, keeps_own=not spec.fields.is_mirror)
            if spec.rates
            else None
        )
        self.tells = self._selecting is not None or self._converting is not None

    def pages(self, kind: Kind) -> Iterator[Page]:
        """The pages of one kind; budgets are read before allocations."""
        pages = self._source.list(kind)
        if self._selecting is not None:
            pages = self._selecting.pages(kind, pages)
        return self._converting.pages(kind, pages) if self._converting else pages

    def as_read(self, record: Budget | Allocation) -> tuple[Budget | Allocation, Converted | None]:
        """What this sync would read, were that the source's own record; and how it is converted."""
        return (record, None) if self._converting is None else self._converting.again(record)

    def carries(self, budget: Budget) -> bool:
        """Whether this sync would carry that budget, and knows of no other one of its name that it
        leaves out."""
        if self._selecting is None or self._spec.select is None:
            return True
        named = folded(budget.name) in self._selecting.left.names
        return self._spec.select.holds(budget) and not named

    @property
    def left(self) -> Left:
        """What the selection leaves out, as far as it was read."""
        return self._selecting.left if self._selecting else Left()

    @property
    def selected(self) -> Selected | None:
        """What came of the selection, once all is read; None where there is none."""
        return self._selecting.said() if self._selecting else None

    @property
    def rates(self) -> tuple[UsedRate, ...]:
        """The rates by which something was converted."""
        return self._converting.used() if self._converting else ()

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the selection, once all is read.

        One that matches nothing is; where that would remove something, the guard says so.
        """
        said = self.selected
        if said is None or said.budgets or not said.of:
            return
        if self._spec.on_remove is OnRemove.KEEP or not self._ledger.count():
            message = f"it matches none of the {said.of} budgets, so the sync carries nothing"
            yield Problem(self._source.name, f"[syncs.{self._spec.name}.select]", message)

    def told(self, wanted: Wanted) -> Wanted:
        """What is wanted, with what was lost before it was projected."""
        if self._converting is not None:
            wanted = self._converting.told(wanted)
        above = self.left.parents.get(wanted.key[1]) if wanted.kind is Kind.BUDGET else None
        if above is None or not self._holds_parents:
            return wanted
        reason = f"its parent {above} is not in the selection of this sync: it hangs at the top"
        losses = joined(wanted.losses, [Loss("parent", Effect.EMULATED, reason)])
        return replace(wanted, losses=losses)

"""Views: budgets and allocations, made of what ERPNext's documents state.

What cannot be read is set aside whole: a cost centre of which one document is unreadable is not
shown with the others.
"""

from collections import defaultdict
from collections.abc import Sequence

from canonical.allocation import Status
from canonical.budget import Budget
from canonical.errors import CanonicalError
from canonical.identity import natural_key
from canonical.problem import Problem
from canonical.text import ref as spelled
from canonical.traces import Traces
from connectors.contract.errors import Malformed
from connectors.erp.shown import Shown, observed
from connectors.erpnext.declared import ErpnextSettings
from connectors.erpnext.mapping import allocations_of, budget_of, phases_of
from connectors.erpnext.reading import Read, Whose
from connectors.erpnext.wire import COST_CENTER, PROJECT


class Views:
    """Makes what the system `name` shows, as its settings say."""

    def __init__(self, name: str, settings: ErpnextSettings) -> None:
        self._name, self._monthly = name, settings.undistributed == "monthly"
        self._least = {"each": 1, "several": 2, "none": None}[settings.allocations]

    def both(self, read: Read) -> tuple[Shown, Shown]:
        """The budgets, and their allocations."""
        budgets, shares, aside = Shown(), Shown(), set[str]()
        for each in read.aside:
            ref = _ref(each.whose)
            message = f"{each.document}: {each.message}"
            self._set_aside(budgets, shares, ref, each.whose.name, message)
            aside.add(ref or "")
        named: dict[str, list[Whose]] = defaultdict(list)
        for whose in (whose for whose, lines in read.lines.items() if lines):
            named[_ref(whose) or ""].append(whose)
        for ref in sorted(named.keys() - aside):
            try:
                self._add(budgets, shares, ref, named[ref], read)
            except (Malformed, CanonicalError) as error:
                message = error.message if isinstance(error, Malformed) else f"{error}"
                self._set_aside(budgets, shares, ref or None, ref or "without a name", message)
        return budgets, shares

    def _add(
        self, budgets: Shown, shares: Shown, ref: str, named: Sequence[Whose], read: Read
    ) -> None:
        if not ref:
            raise Malformed("its name has characters that no ref can have")
        if len(named) > 1:
            said = ", ".join(f"{each.kind} {each.name!r}" for each in sorted(named))
            raise Malformed(f"nobody can tell {said} apart; read one kind, by against")
        (whose,) = named
        accounts = phases_of(read.lines[whose], monthly=self._monthly)
        budget = budget_of(ref, ref, _status(whose, read), accounts)
        more = [observed(each) for each in allocations_of(budget, accounts)]
        budgets.items.append(observed(budget))
        if self._least is not None and len(more) >= self._least:
            shares.items += more

    def _set_aside(
        self, budgets: Shown, shares: Shown, ref: str | None, where: str, message: str
    ) -> None:
        """Neither the budget nor an allocation of it is taken for missing."""
        names = containers = None
        if ref is not None:
            names = frozenset([natural_key(Budget(ref=ref, name=ref, amount=None))])
            containers = frozenset([ref])
        for shown, what, id, traces in (
            (budgets, f"budget {where}", ref, Traces(names=names)),
            (shares, f"allocations of {where}", None, Traces(containers=containers)),
        ):
            shown.problems.append(Problem(self._name, what, message, id, traces))


def _ref(whose: Whose) -> str | None:
    """None where its name is none that a ref can be."""
    try:
        return spelled(whose.name) or None
    except CanonicalError:
        return None


def _status(whose: Whose, read: Read) -> Status:
    if whose in read.statuses:
        return read.statuses[whose]
    if whose.kind in (COST_CENTER, PROJECT):
        raise Malformed(f"the {whose.kind} {whose.name!r} itself is not shown to the user")
    return Status.ACTIVE

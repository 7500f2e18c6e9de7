"""Scopes: what a row is for, everything or one category, offer or channel, and what that means.

A budget of one of them has it as its dimension. Nothing stops at a limit by itself: the contact
policy `budget_exhausted` keeps back an offer whose rows are used up, and has no other scope
(docs.kaireonai.com, contact policies and constraints, November 2026).
"""

from collections.abc import Iterator

from msgspec.structs import replace

from canonical.allocation import Enforcement
from canonical.budget import Budget
from canonical.loss import Effect, Loss
from connectors.kaireon.fitting import Model
from connectors.kaireon.wire import GLOBAL, OFFER, SCOPES

SILENT = (
    "rows of scope global, category and channel enforce nothing by themselves: kaireon's policy "
    "budget_exhausted stops offers only"
)
"""Told by `check`, as it holds for every tenant."""


def scope_of(budget: Budget) -> tuple[str, str | None]:
    """The scope of a budget's rows, and whose; the first by name where it has several."""
    named = [(scope, budget.dimensions[scope]) for scope in SCOPES if scope in budget.dimensions]
    return named[0] if named else (GLOBAL, None)


def scoped(model: Model) -> tuple[Model, tuple[Loss, ...]]:
    """`model` without the dimensions that are no scope of rows; and what that loses.

    A budget of two scopes at once cannot be held.
    """
    if not isinstance(model, Budget) or not model.dimensions:
        return model, ()
    kept = {name: id for name, id in model.dimensions.items() if name in SCOPES}
    if len(kept) > 1:
        reason = f"kaireon's rows are for one scope, not for {' and '.join(sorted(kept))}"
        return model, (Loss("dimensions", Effect.BLOCKED, reason),)
    lost = sorted(set(model.dimensions) - set(kept))
    if not lost:
        return model, ()
    reason = f"kaireon has no place for {', '.join(lost)}"
    return replace(model, dimensions=kept), (Loss("dimensions", Effect.DROPPED, reason),)


def enforced(scope: str) -> Enforcement:
    """What rows of that scope do: an offer's are what a policy stops at."""
    return Enforcement.HARD if scope == OFFER else Enforcement.TRACK


def enforcing(stated: Enforcement | None, scope: str) -> Iterator[Loss]:
    """What becomes of how strict a budget is stated to be, in rows of that scope."""
    if stated is enforced(scope):
        return
    if scope == OFFER and stated is not None:
        reason = f"kaireon's policy budget_exhausted may stop the offer; it cannot be {stated}"
        yield Loss("enforcement", Effect.DROPPED, reason)
    elif scope != OFFER:
        effect = Effect.EMULATED if stated is None else Effect.DROPPED
        yield Loss("enforcement", effect, SILENT)

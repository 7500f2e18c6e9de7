"""Words for what a sync makes of its source: selected, left out, and converted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from canonical.change import Plan


def selection(plan: Plan) -> Iterator[tuple[bool, str]]:
    """What the sync's selection came to; true with what a person should look at."""
    said = plan.selected
    if said is None:
        return
    yield False, f"selects {said.budgets} of the {said.of} budgets of {plan.source}"
    for each in said.unmatched:
        yield True, f"in [syncs.{plan.sync}.select] {each}"


def rates(plan: Plan) -> Iterator[str]:
    """At which rates the plan converts, how old they are, and how it rounds."""
    for each in plan.rates:
        dated = ""
        if each.dated is not None and each.age_days is not None:
            days = {0: "of the day", 1: "1 day old"}.get(each.age_days, f"{each.age_days} days old")
            dated = f" of {each.dated} ({days})"
        many = "object" if each.objects == 1 else "objects"
        at = f"1 {each.currency} is {each.rate} {each.into}{dated}, rounded {each.rounding}"
        yield f"{each.objects} {many} converted: {at}"

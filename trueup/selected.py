"""Words for what a sync carries of its source: selected, and left out."""

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

"""How much a report keeps of what may go wrong a hundred thousand times in one run."""

from collections.abc import Mapping
from typing import Any, Final

KEPT: Final = 1000
"""How many problems, conflicts, waits and handovers a report lists; it counts the others."""

_LISTS: Final = ("problems", "conflicts", "waits", "handovers")


def bounded(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan's data, its lists no longer than `KEPT`; `omitted` counts what is left out."""
    omitted = {name: len(plan[name]) - KEPT for name in _LISTS if len(plan.get(name, ())) > KEPT}
    if not omitted:
        return dict(plan)
    kept = {name: plan[name][:KEPT] for name in omitted}
    return {**plan, **kept, "omitted": omitted}

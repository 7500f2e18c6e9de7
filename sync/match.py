"""Match: which objects of the target are the ones the source means, where no link says so yet.

In this order: the stamp that an earlier run wrote, then the natural key. One candidate is adopted,
several are reported, none is guessed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from canonical.allocation import Allocation, Status
from canonical.budget import Budget
from canonical.change import Conflict, Kind
from canonical.identity import natural_key
from connectors.contract.records import Observed

Key = tuple[str, str]
"""An object's name within its kind: (budget ref or "", ref)."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An object of the source without a link; `container` is its budget's id in the target."""

    key: Key
    model: Budget | Allocation
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """How a newcomer was recognised: `by` is "stamp" or "natural key"."""

    item: Observed
    by: str


def match(
    kind: Kind, newcomers: Sequence[Newcomer], strangers: Iterable[Observed]
) -> tuple[dict[Key, Matched], list[Conflict]]:
    """Newcomers recognised among the strangers, and those that cannot be told apart.

    What is retired in the target is over: it matches nothing.
    """
    stamps: dict[Key, list[Observed]] = defaultdict(list)
    names: dict[Key, list[Observed]] = defaultdict(list)
    for item in strangers:
        if item.model.status is Status.RETIRED:
            continue
        within = item.container or "" if kind is Kind.ALLOCATION else ""
        if item.stamp is not None:
            stamps[within, item.stamp].append(item)
        else:
            names[within, natural_key(item.model)].append(item)

    alike = Counter((new.container or "", natural_key(new.model)) for new in newcomers)
    found: dict[Key, Matched] = {}
    conflicts: list[Conflict] = []
    for new in newcomers:
        within = new.container or ""
        name = within, natural_key(new.model)
        candidates, by = stamps.get((within, new.key[1]), []), "stamp"
        if not candidates:
            candidates, by = names.get(name, []), "natural key"
        if not candidates:
            continue
        if len(candidates) == 1 and (by == "stamp" or alike[name] == 1):
            found[new.key] = Matched(candidates[0], by)
        else:
            conflicts.append(_conflict(kind, new, candidates, by, alike[name]))
    return found, conflicts


def _conflict(
    kind: Kind, new: Newcomer, candidates: Sequence[Observed], by: str, alike: int
) -> Conflict:
    ids = tuple(item.id for item in candidates)
    if len(ids) > 1:
        reason = f"{len(ids)} objects of the target have its {by}: rename or retire all but one"
    else:
        reason = f"{alike} objects of the source have the {by} of one of the target: rename them"
    budget_ref, ref = new.key
    return Conflict(kind, ref, budget_ref or None, reason, ids)

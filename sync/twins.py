"""Twins: objects of the target that bear a stamp which belongs to another object.

A copy made by hand takes the stamp along; two runs at the same time, or a lost answer, can leave a
second object. None of them is adopted or removed: a person has to say which one is meant. Only
objects with a stamp and without a link of this sync are looked at.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

from canonical.allocation import Status
from canonical.change import Conflict
from canonical.kind import Kind
from connectors.contract.records import Observed
from sync.match import Key
from sync.observe import Observation
from sync.state.ledger import Ledger, Link

_BATCH = 1000


def twins(
    kind: Kind, seen: Observation, ledger: Ledger, adopted: Collection[str], said: Collection[Key]
) -> list[Conflict]:
    """The conflicts about stamps that several objects bear, but for those `said` already, by key.

    `adopted` are the ids of objects that this plan links. An allocation's stamp counts within its
    budget. What is retired is over.
    """
    alike = _alike(kind, seen, ledger, adopted)
    linked = _linked(kind, seen, ledger, [key for key in alike if key not in said])
    found = []
    for key, items in alike.items():
        link = linked.get(key)
        if link is None:  # what neighbours own is theirs to tell
            items = [item for item in items if item.id not in seen.owned[kind]]
        if key not in said and len(items) > (link is None):
            found.append(_conflict(kind, key, link, items, seen))
    return found


def _alike(
    kind: Kind, seen: Observation, ledger: Ledger, adopted: Collection[str]
) -> dict[Key, list[Observed]]:
    """What bears a stamp and is not linked here, by the key that the stamp names."""
    bearers = (*seen.strangers[kind].values(), *(item for item, _ in seen.owned[kind].values()))
    stamped = [item for item in bearers if item.stamp is not None and item.id not in adopted]
    refs = _budget_refs(stamped, ledger) if kind is Kind.ALLOCATION else {}
    alike: dict[Key, list[Observed]] = defaultdict(list)
    for item in stamped:
        within = refs.get(item.container or "") if kind is Kind.ALLOCATION else ""
        if within is not None and item.model.status is not Status.RETIRED:
            alike[within, str(item.stamp)].append(item)
    return alike


def _conflict(
    kind: Kind, key: Key, link: Link | None, items: Sequence[Observed], seen: Observation
) -> Conflict:
    budget_ref, ref = key
    ids = tuple(item.id for item in items)
    if link is None:
        reason = f"{len(ids)} objects of the target bear its stamp"
    else:
        reason = f"{link.target_id} is linked to it, and {', '.join(ids)} bears its stamp too"
        ids = (link.target_id, *ids)
    owned = seen.owned[kind]
    owner = next((owned[id][1].sync for id in ids if id in owned), None)
    if owner is not None:
        reason += f" and belongs to the sync {owner}"
    reason += ": retire what is not meant, or take the stamp out of it"
    return Conflict(kind, ref, budget_ref or None, reason, ids, owner)


def _linked(kind: Kind, seen: Observation, ledger: Ledger, keys: Sequence[Key]) -> dict[Key, Link]:
    """Our links of those keys whose objects the listing showed."""
    found: dict[Key, Link] = {}
    for start in range(0, len(keys), _BATCH):
        links = ledger.by_refs(kind, keys[start : start + _BATCH])
        found.update((key, link) for key, link in links.items() if seen.has(link.id))
    return found


def _budget_refs(items: Sequence[Observed], ledger: Ledger) -> dict[str, str]:
    """The refs of the linked budgets that allocations lie in, by the target's ids."""
    ids = sorted({item.container for item in items if item.container})
    refs: dict[str, str] = {}
    for start in range(0, len(ids), _BATCH):
        links = ledger.by_targets(Kind.BUDGET, ids[start : start + _BATCH])
        refs.update((id, link.ref) for id, link in links.items())
    return refs

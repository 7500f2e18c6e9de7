"""Looking for what creates with lost answers left behind, without reading all that there is."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.identity import natural_key
from canonical.kind import Kind
from connectors.contract.records import Draft, Observed
from connectors.vtex.reading import Reader, id_of
from connectors.vtex.records import Records, allocations_of


class Probe:
    """Looks among the budgets of the drafts' names, and within the allocations' own budgets."""

    def __init__(self, reader: Reader, records: Records) -> None:
        self._reader, self._records = reader, records

    def found(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """Index into `drafts` → what matches: a budget by its stamp, where none is written by its
        name; an allocation by its entity, of several by its amount too."""
        found: dict[int, Sequence[Observed]] = {}
        names = {natural_key(each.model) for each in drafts if isinstance(each.model, Budget)}
        within = {each.container for each in drafts if isinstance(each.model, Allocation)}
        near = [*self._named(names), *self._inside(sorted(filter(None, within)))]
        for index, draft in enumerate(drafts):
            if alike := [item for item in near if _left_behind(draft, item)]:
                same = [item for item in alike if item.model.amount == draft.model.amount]
                shared = isinstance(draft.model, Allocation)
                found[index] = same if shared and same and len(alike) > 1 else alike
        return found

    def _named(self, names: Collection[str]) -> Sequence[Observed]:
        """All budgets of these names; a summary tells the name, a read the stamp."""
        found: Sequence[Observed] = ()
        for unit, raw in self._reader.summaries() if names else ():
            ids = [f"{unit}/{id_of(each)}" for each in raw.items if _name_of(each) in names]
            records = [(unit, record) for _, record in self._reader.whole(ids)]
            found = [*found, *self._records.sorted(Kind.BUDGET, records)[0]]
        return found

    def _inside(self, budgets: Sequence[str]) -> Sequence[Observed]:
        """All allocations of these budgets."""
        read = self._reader.whole(budgets)
        shares = [(id, each) for id, record in read for each in allocations_of(record)]
        return self._records.sorted(Kind.ALLOCATION, shares)[0]


def _name_of(summary: Any) -> str | None:
    name = summary.get("name") if isinstance(summary, dict) and id_of(summary) else None
    return natural_key(Budget(ref="", name=name, amount=None)) if isinstance(name, str) else None


def _left_behind(draft: Draft, item: Observed) -> bool:
    if type(draft.model) is not type(item.model):
        return False
    if isinstance(draft.model, Allocation) and item.container != draft.container:
        return False
    if isinstance(draft.model, Budget) and draft.stamp is not None:
        return item.stamp == draft.stamp
    return natural_key(item.model) == natural_key(draft.model)

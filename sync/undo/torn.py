"""Torn: what an undo that broke off left neither as it was nor as the run had left it.

Some vendors take several calls for one write, and of some a write to one object moves others.
"""

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import replace

from canonical.facts import SAID_BY_NONE
from canonical.image import Image
from canonical.kind import FIELDS, Kind, Op
from canonical.money import MONEY
from sync.match import Key
from sync.state.journal import Operation, State
from sync.state.ledger import Ledger, Link
from sync.undo.deed import Deed


class Torn:
    """Tells it of the objects of one plan.

    `later` is what later runs wrote of each, `earlier` are those among them that took back the
    same run. Links that are looked up go into `links`. Where `sums_moved`, budgets that are the
    sums of their shares may have moved with these.
    """

    def __init__(
        self,
        ledger: Ledger,
        links: MutableMapping[tuple[Kind, Key], Link],
        later: Mapping[tuple[Kind, Key], Sequence[Operation]],
        earlier: Collection[str],
        *,
        sums_moved: bool,
    ) -> None:
        self._ledger, self._links, self._later = ledger, links, later
        self._earlier, self._sums_moved = earlier, sums_moved
        self._sums = set[str]()

    def with_others(self, deeds: Sequence[Deed]) -> list[Deed]:
        """The deeds, and as deeds that left all as it was agreed what may have moved with them."""
        return [*self._sums_above(deeds), *deeds, *self._shares_below(deeds)]

    def is_torn(self, deed: Deed) -> bool:
        """Whether an earlier undo may have left it neither as it was nor as the run left it."""
        is_sum = deed.kind is Kind.BUDGET and deed.key[1] in self._sums
        above = replace(deed, kind=Kind.BUDGET, key=("", deed.key[0]))
        return is_sum or self._lost(deed) or (bool(deed.key[0]) and self._lost(above))

    def is_ours(self, later: Sequence[Operation]) -> bool:
        """Whether only earlier undos of the same run wrote it since."""
        return bool(later) and all(each.run_id in self._earlier for each in later)

    def _sums_above(self, deeds: Sequence[Deed]) -> list[Deed]:
        """What an undo that broke off may have left otherwise though the run never wrote it: a
        budget that is the sum of its shares is as it was agreed."""
        if not self._sums_moved:
            return []
        known, found = {deed.object for deed in deeds}, list[Deed]()
        todo = {ref for deed in deeds for ref in _refs_above(deed)}
        while todo - self._sums:
            self._sums |= todo
            links = self._ledger.by_refs(Kind.BUDGET, [("", ref) for ref in sorted(todo)])
            baselines = self._ledger.baselines([link.id for link in links.values()])
            todo = set()
            for key, link in links.items():
                agreed = dict(zip(FIELDS[Kind.BUDGET], baselines[link.id].desired, strict=True))
                todo |= {str(agreed["parent"])} if agreed["parent"] else set()
                if (Kind.BUDGET, key) not in known:
                    self._links[Kind.BUDGET, key] = link
                    found.append(_as_agreed(key, link, agreed))
        return found

    def _shares_below(self, deeds: Sequence[Deed]) -> list[Deed]:
        """As `_sums_above`: the shares of a budget whose writing broke off may be anywhere."""
        known, found = {deed.object for deed in deeds}, list[Deed]()
        torn = [deed.key[1] for deed in deeds if deed.kind is Kind.BUDGET and self._lost(deed)]
        for link, agreed in self._ledger.agreements(self._ledger.within(torn)):
            key = link.budget_ref, link.ref
            if (Kind.ALLOCATION, key) not in known:
                self._links[Kind.ALLOCATION, key] = link
                said = dict(zip(FIELDS[Kind.ALLOCATION], agreed.desired, strict=True))
                found.append(_as_agreed(key, link, said))
        return found

    def _lost(self, deed: Deed) -> bool:
        later: Sequence[Operation] = self._later.get(deed.object, ())
        return bool(later) and later[-1].state is State.LOST and self.is_ours(later)


def _refs_above(deed: Deed) -> set[str]:
    """The budgets of which it is, or was, a part, and itself."""
    above = {deed.key[0], deed.before.get("parent"), deed.after.get("parent")}
    own = {deed.key[1]} if deed.kind is Kind.BUDGET else set()
    return {str(ref) for ref in above if ref} | own


def _as_agreed(key: Key, link: Link, agreed: Image) -> Deed:
    """A deed that left an object's money, and a share in its budget, as it was agreed."""
    deed = Deed(op=Op.UPDATE, kind=link.kind, key=key, target_id=link.target_id, after=agreed)
    return with_money(deed)


def with_money(deed: Deed) -> Deed:
    """What the run did not write of the money is to be as it left it."""
    money = {
        name: deed.after.get(name)
        for name in MONEY
        if name not in deed.fields and (deed.after.get(name) is not None or name in SAID_BY_NONE)
    }
    if deed.kind is Kind.ALLOCATION and "budget" not in deed.fields:
        money["budget"] = deed.key[0]
    return replace(deed, fields=(*deed.fields, *money), before={**money, **deed.before})

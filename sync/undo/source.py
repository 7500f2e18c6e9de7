"""What a run wrote to the source, and undo: fields are put back as they were; the rest is told.

Nothing is agreed of these fields afterwards, on either side: whose value counts is asked anew, or
is the target's where that owns them.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Final

from msgspec import structs

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.compare import Cause, Difference
from canonical.facts import facts, money_facts
from canonical.image import Image, NotWhole, model_from, with_fields_of
from canonical.kind import FIELDS, Op
from canonical.money import MONEY, counted_on, moves
from canonical.side import Side
from connectors.contract.errors import Malformed, Missing
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.decide import Wanted, alteration
from sync.findings import Findings
from sync.overlay import overlaid
from sync.returned import Returned
from sync.scales import Weighed
from sync.send import Statement
from sync.state.ledger import Ledger
from sync.undo.deed import Deed

_BY_HAND: Final = {
    Op.CREATE: "it was made in the source, and stays there",
    Op.RETIRE: "it was retired in the source, and stays so",
    Op.DELETE: "it was deleted in the source, and is not made again",
}


class SourceUndo:
    """Adds to `found` what one undo changes in the source; `leave` tells what stays, and why."""

    def __init__(
        self,
        source: Connector,
        ledger: Ledger,
        as_of: date,
        found: Findings,
        leave: Callable[[Deed, str, str], None],
    ) -> None:
        self._source, self._ledger, self._as_of = source, ledger, as_of
        self._found, self._leave = found, leave

    def take_back(self, deeds: Iterable[Deed]) -> None:
        """All of them. Raises what reading the source raises."""
        for deed in deeds:
            if deed.op is Op.UPDATE:
                self._restore(deed)
            else:
                self._leave(deed, _BY_HAND[deed.op], "")

    def _restore(self, deed: Deed) -> None:
        link = self._ledger.by_refs(deed.kind, [deed.key]).get(deed.key)
        try:
            item = self._source.get(deed.kind, str(deed.target_id))
        except (Missing, Malformed):
            item = None
        if item is None or link is None:
            self._leave(deed, "it was changed in the source, which does not show it any more", "")
            return
        now = dict(zip(FIELDS[deed.kind], facts(item.model), strict=True))
        back = [name for name in deed.fields if now[name] != deed.before.get(name)]
        for name in [name for name in back if now[name] != deed.after.get(name)]:
            back.remove(name)
            self._leave(deed, "somebody changed it in the source since", name)
        moved = _moved_money(deed, now)
        for name in [name for name in back if moved and name in MONEY]:
            back.remove(name)
            self._leave(deed, f"{moved} was changed in the source since, and goes with it", name)
        if back:
            self._change(deed, item, back, link.target_id)

    def _change(self, deed: Deed, item: Observed, back: list[str], target_id: str) -> None:
        try:
            model = _as_before(deed, item.model, back)
        except NotWhole as error:
            self._leave(deed, str(error), "")
            return
        was, will = facts(item.model), facts(model)
        found = [
            Difference(name, now, then, Cause.SOURCE)
            for name, now, then in zip(FIELDS[deed.kind], was, will, strict=True)
            if now != then
        ]
        wanted = Wanted(deed.kind, deed.key, model, model, (), will)
        change = alteration(wanted, item.id, was, found, self._source.capabilities)
        before, after = money_facts(item.model), money_facts(model)
        money = moves(before, after, self._as_of)
        self._found.returns.append(replace(change, side=Side.SOURCE, cause=Cause.UNDO, money=money))
        self._found.returned[deed.kind, deed.key] = Returned(
            statement=Statement(wanted.statement),
            target_id=target_id,
            took=(),
            desired=will,
            observed=will,
            void=tuple(each.field for each in found),
        )
        if change.op is not Op.BLOCKED:
            counted = counted_on(before, self._as_of)
            weighed = Weighed(deed.kind, deed.key, change.op, money, counted)
            self._found.weigh_back(weighed)
            if item.actual is not None:
                self._found.spent_back[item.id] = item.actual.spent.value


def _moved_money(deed: Deed, now: Image) -> str | None:
    """A field that says how much counts when, and is neither as it was nor as the run left it."""
    for name in MONEY:
        left, was = deed.after.get(name), deed.before.get(name)
        if (
            left is not None
            and now[name] != left
            and not (name in deed.fields and now[name] == was)
        ):
            return name
    return None


def _as_before(deed: Deed, model: Budget | Allocation, back: list[str]) -> Budget | Allocation:
    """The record with those fields as they were; raises `NotWhole`."""
    image = dict(zip(FIELDS[deed.kind], facts(model), strict=True))
    image |= {name: deed.before.get(name) for name in back}
    then = model_from(deed.kind, deed.key[1], deed.key[0], image)
    straight = with_fields_of(model, then, back)
    as_cut = _as_cut(model, straight)
    return as_cut if facts(as_cut) == facts(straight) else straight


def _as_cut(model: Budget | Allocation, then: Budget | Allocation) -> Budget | Allocation:
    """With its amounts over time as the record is cut: facts join what says one amount twice."""
    if not (model.phases and then.phases):
        return then
    whole = model if isinstance(model, Budget) else Budget.of_share(model)
    made = overlaid(whole, then.phases)
    return structs.replace(then, amount=made.amount, phases=made.phases)

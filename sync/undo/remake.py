"""Remake: new objects in the place of those that a run removed and the target cannot bring back."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from canonical.budget import Budget
from canonical.change import Change
from canonical.compare import Cause
from canonical.kind import Kind, Op
from canonical.loss import Effect, Loss
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.counterpart import Counterparts
from sync.decide import Wanted, creation
from sync.findings import Findings
from sync.identify import Identifier
from sync.match import Matcher, Newcomer
from sync.observe import Observation
from sync.send import Statement
from sync.undo.deed import Deed
from sync.undo.weigh import BackWeigher

_WHY: Final = {
    Op.RETIRE: "{vendor} cannot take it into use again ({id}): a new one is made in its place",
    Op.DELETE: "it was deleted ({id}): a new one is made in its place, without its history",
}


class _New(NamedTuple):
    deed: Deed
    wanted: Wanted


class Remaking:
    """Gathers what is to be made anew, and makes it where nothing is there that could be it."""

    def __init__(
        self,
        target: Connector,
        seen: Observation,
        there: Counterparts,
        who: Identifier,
        weigher: BackWeigher,
        held: Mapping[Kind, frozenset[str]],
        found: Findings,
        leave: Callable[[Deed, str], None],
        finish: Callable[[Deed, Observed], bool],
    ) -> None:
        """`finish` makes whole what is there, where an earlier undo began to make it."""
        self._target, self._seen, self._there, self._who = target, seen, there, who
        self._weigher, self._held, self._found = weigher, held, found
        self._leave, self._finish = leave, finish
        self._new: dict[Kind, list[_New]] = {kind: [] for kind in Kind}

    def add(self, deed: Deed, wanted: Wanted) -> None:
        """To be made as it was."""
        self._new[deed.kind].append(_New(deed, wanted))

    def make(self, going: Collection[str]) -> None:
        """Add a change for each; budgets whose refs are in `going` are about to be removed."""
        made = set[str]()
        for kind in Kind:
            new = self._new[kind]
            above = self._there.budgets(filter(None, map(_above, new)))
            free = self._free(kind, new, above)
            refs = {each.deed.key[1] for each in free} if kind is Kind.BUDGET else set()
            ready = (above.keys() | made | refs) - {*going}
            for each in free:
                over = _above(each)
                if over is not None and over not in ready:
                    self._leave(each.deed, f"the budget {over}, in which it was, is not there")
                else:
                    made |= {each.deed.key[1]} if kind is Kind.BUDGET else set()
                    self._create(each, above.get(over or ""))

    def _free(self, kind: Kind, new: Sequence[_New], above: Mapping[str, str]) -> list[_New]:
        """Those that are not there under another id: somebody may have made them since."""
        self._who.ask(each.wanted.model for each in new)
        matcher = Matcher(kind, self._seen.strangers[kind], self._target.capabilities.identity)
        arrivals = [
            Newcomer(
                each.deed.key,
                self._who.theirs(each.wanted.model),
                above.get(_above(each) or ""),
            )
            for each in new
        ]
        known = [each for each in arrivals if kind is Kind.BUDGET or each.container is not None]
        matches, conflicts = matcher.match(known)
        begun = {
            each.deed.key
            for each in new
            if (one := matches.get(each.deed.key)) and self._finish(each.deed, one.item)
        }
        ids = {key: [matched.item.id] for key, matched in matches.items()}
        ids |= {(each.budget_ref or "", each.ref): [*each.candidates] for each in conflicts}
        for each in new:
            if (there := ids.get(each.deed.key)) and each.deed.key not in begun:
                self._leave(each.deed, f"{', '.join(there)} is there, and may be it")
        return [each for each in new if each.deed.key not in ids]

    def _create(self, new: _New, container: str | None) -> None:
        deed, wanted = new
        able, kind, model = self._target.capabilities, deed.kind, wanted.model
        if suspect := self._seen.suspect(kind, deed.key[1], model, container):
            self._leave(deed, f"it may be there already: {suspect.where} cannot be read")
            return
        said = _WHY[deed.op].format(vendor=able.vendor, id=deed.target_id)
        losses = (
            Loss("status", Effect.EMULATED, f"{kind} {deed.key[1]}: {said}"),
            *self._who.unknown(model),
            *self._target.objections(model),
        )
        stated = wanted.statement
        change = creation(wanted, self._held[kind], losses, stated=stated.hex())
        self._found.add(self._undoing(change), Statement(stated))

    def _undoing(self, change: Change) -> Change:
        return self._weigher.made(replace(change, cause=Cause.UNDO))


def _above(new: _New) -> str | None:
    """The ref of the budget that it was below."""
    model = new.wanted.model
    return new.deed.key[0] or (model.parent if isinstance(model, Budget) else None)

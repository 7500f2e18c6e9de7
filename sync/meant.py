"""Meant: what a plan makes of what people said of its objects (`sync.meaning`).

What is linked by a word is adopted, and by nothing else. What was unlinked is adopted by nobody,
and nothing is made beside it, until a person has said what is meant.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from canonical.allocation import Status
from canonical.change import Conflict
from canonical.kind import Kind
from connectors.contract.errors import Missing, Unseen
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.match import Key, Matched, Newcomer, name_of, place_of
from sync.meaning import Meaning, Word
from sync.observe import Observation
from sync.state.ledger import Ledger

_Place = tuple[str, object]


class Meant:
    """What was said, against one observation; asks the target for what its listing left out."""

    def __init__(
        self,
        sync: str,
        meanings: Sequence[Meaning],
        target: Connector,
        ledger: Ledger,
        seen: Observation,
    ) -> None:
        self._sync, self._target, self._ledger, self._seen = sync, target, ledger, seen
        self._words: dict[Kind, dict[Key, list[Meaning]]] = {kind: {} for kind in Kind}
        for each in meanings:
            self._words[each.kind].setdefault(each.key, []).append(each)
        self._read: dict[tuple[Kind, str], Observed | None] = {}
        self._places: dict[Kind, dict[_Place, list[str]]] = {}

    def any(self, kind: Kind) -> bool:
        """Whether anything was said of objects of that kind."""
        return bool(self._words[kind])

    # -- what nobody may recognise by himself --------------------------------------------------

    def free(self, kind: Kind) -> dict[str, Observed]:
        """The strangers of which nothing was said."""
        strangers = self._seen.strangers[kind]
        said = {each.id for each in self._all(kind)}
        if not said:
            return strangers
        return {id: item for id, item in strangers.items() if id not in said}

    def unlinked(self, kind: Kind) -> Collection[str]:
        """The ids of what was unlinked."""
        return {each.id for each in self._all(kind) if each.word is not Word.LINK}

    # -- what is linked by a word --------------------------------------------------------------

    def linked(self, kind: Kind, key: Key) -> str | None:
        """The id of the object that was said to be of that key."""
        said = [each.id for each in self._of(kind, key) if each.word is Word.LINK]
        return said[-1] if said else None

    def adoptable(
        self, kind: Kind, key: Key, id: str, container: str | None
    ) -> Observed | Conflict:
        """That object, or why it cannot be adopted. `container` is what the target has for the
        budget of an allocation."""
        try:
            item = self.item(kind, id)
        except Unseen as error:
            return self._conflict(kind, key, id, error.message)
        if item is None:
            return self._conflict(kind, key, id, "the target has it no more")
        owned = self._seen.owned[kind].get(item.id)
        if owned is not None:
            return self._conflict(kind, key, id, f"it belongs to the sync {owned[1].sync}")
        other = self._ledger.by_targets(kind, [item.id]).get(item.id)
        if other is not None:
            return self._conflict(kind, key, id, f"it is linked to {other.ref}")
        if kind is Kind.ALLOCATION and item.container != container:
            reason = f"it lies in another budget than that of {key[0]}"
            return self._conflict(kind, key, id, reason)
        return item

    def item(self, kind: Kind, id: str) -> Observed | None:
        """The object as it is, None where it is gone; raises `Unseen` where it may be hidden."""
        if (seen := self._seen.strangers[kind].get(id)) is not None:
            return seen
        if (kind, id) not in self._read:
            try:
                self._read[kind, id] = self._target.get(kind, id)
            except Unseen:
                raise
            except Missing:
                self._read[kind, id] = None
        return self._read[kind, id]

    def _conflict(self, kind: Kind, key: Key, id: str, why: str) -> Conflict:
        budget_ref, ref = key
        reason = (
            f"it was linked to {id}, and {why}: trueup unlink {self._sync} frees it of that, "
            "trueup link names another one"
        )
        return Conflict(kind, ref, budget_ref or None, reason, (id,))

    # -- what was unlinked -----------------------------------------------------------------------

    def is_apart(self, kind: Kind, key: Key) -> bool:
        """Whether something of that key was unlinked, and nobody said what it is to be."""
        return any(each.word is Word.APART for each in self._of(kind, key))

    def asked(
        self,
        kind: Kind,
        newcomers: Iterable[tuple[Key, Newcomer | None]],
        matches: dict[Key, Matched],
        conflicts: Sequence[Conflict],
        identity: Collection[str],
    ) -> list[Conflict]:
        """The conflicts with those about what was unlinked; what they are about leaves `matches`.

        The newcomer of a key is None where nothing can be recognised yet.
        """
        open = {(each.budget_ref or "", each.ref): each for each in conflicts}
        for key, new in newcomers:
            own = self._own(kind, key)
            ids = own or ([] if key in matches or new is None else self._like(kind, new, identity))
            if not ids:
                continue
            match, other = matches.pop(key, None), open.get(key)
            more = [match.item.id] if match else other.candidates if other else ()
            open[key] = self._question(kind, key, own, tuple(dict.fromkeys((*ids, *more))))
        return list(open.values())

    def items(self, kind: Kind) -> Mapping[str, Observed]:
        """The strangers, with what the listing left out and was unlinked."""
        more = {id: item for (each, id), item in self._read.items() if each is kind and item}
        return self._seen.strangers[kind] | more

    def _own(self, kind: Kind, key: Key) -> list[str]:
        """What was unlinked from that key, is there still and stands for nothing else."""
        apart = [each.id for each in self._of(kind, key) if each.word is Word.APART]
        linked = self._ledger.by_targets(kind, apart) if apart else {}
        return [each for each in apart if each not in linked and self._may_be_there(kind, each)]

    def _may_be_there(self, kind: Kind, id: str) -> bool:
        try:
            return self.item(kind, id) is not None
        except Unseen:
            return True

    def _like(self, kind: Kind, new: Newcomer, identity: Collection[str]) -> list[str]:
        """What was unlinked from another ref and would be recognised as this one."""
        places = self._indexed(kind, identity)
        if not places:
            return []
        not_meant = {each.id for each in self._of(kind, new.key)}
        stamp = places.get(("stamp", place_of(kind, new.container, new.key[1])), [])
        name = places.get(("name", name_of(kind, new.container, new.model, identity)), [])
        return [id for id in (*stamp, *name) if id not in not_meant]

    def _indexed(self, kind: Kind, identity: Collection[str]) -> dict[_Place, list[str]]:
        if kind not in self._places:
            found: dict[_Place, list[str]] = defaultdict(list)
            for id in sorted(self.unlinked(kind)):
                item = self._seen.strangers[kind].get(id)
                if item is None or item.model.status is Status.RETIRED:
                    continue
                if item.stamp is not None:
                    found["stamp", place_of(kind, item.container, item.stamp)].append(id)
                else:
                    name = name_of(kind, item.container, item.model, identity)
                    found["name", name].append(id)
            self._places[kind] = found
        return self._places[kind]

    def _question(
        self, kind: Kind, key: Key, own: Collection[str], ids: tuple[str, ...]
    ) -> Conflict:
        budget_ref, ref = key
        if own:
            what = f"it was unlinked from {', '.join(own)}"
        else:
            what = f"it would be recognised in {', '.join(ids)}, which was unlinked from another"
        reason = f"{what}: take the id of what it is, or none, and another one is made"
        return Conflict(kind, ref, budget_ref or None, reason, ids, ways=("id", "none"))

    def _all(self, kind: Kind) -> Iterable[Meaning]:
        return [each for said in self._words[kind].values() for each in said]

    def _of(self, kind: Kind, key: Key) -> Sequence[Meaning]:
        return self._words[kind].get(key, ())

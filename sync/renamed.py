"""Renamed: which of what is new may be what the source stopped stating, under another ref.

Hints, for a person: each names the command that says so. Nothing is guessed, and nothing is asked
of the ledger where nothing vanished. What is over, or out of use in the target, is followed by
nothing; nor does anything follow what left the selection, as the source states that still.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from shlex import quote
from typing import Final, TypeAlias

from canonical.change import Change, Renamed
from canonical.facts import Fact, Facts, facts
from canonical.kind import FIELDS, NAMED, Kind, Op
from canonical.text import likeness
from sync.match import Key
from sync.observe import BitSet, Observation
from sync.state.ledger import Ledger, Link

SAID: Final = 100
"""So many hints a plan gives at most: what is the same by its amount alone may be legion."""

_Index: TypeAlias = dict[tuple[str, str, Fact], list[Link]]


def hint(sync: str, old: Link, new: str, by: str) -> Renamed:
    """That `old` may be `new` by now, with the command that says so."""
    words = ["trueup", "rename", quote(sync), quote(old.ref), quote(new)]
    if old.kind is Kind.ALLOCATION:
        words += ["--budget", quote(old.budget_ref)]
    return Renamed(
        kind=old.kind,
        old=old.ref,
        new=new,
        budget_ref=old.budget_ref or None,
        by=by,
        command=" ".join(words),
    )


class Hints:
    """Finds them in a plan, once all that the source states is `mentioned`.

    `is_there` judges a link by what the target shows of it.
    """

    def __init__(
        self,
        sync: str,
        ledger: Ledger,
        seen: Observation,
        mentioned: BitSet,
        is_there: Callable[[Link, Facts], bool],
    ) -> None:
        self._sync, self._ledger, self._seen = sync, ledger, seen
        self._mentioned, self._is_there = mentioned, is_there

    def of(
        self, changes: Sequence[Change], but: Collection[Key], left: BitSet, elders: Collection[int]
    ) -> list[Renamed]:
        """What of the new objects among `changes` may be what is stated no more.

        Not those budgets of which a person, or a conflict, says more already (`but`); and nothing
        that only `left` the selection, or that a neighbour owns (`elders`).
        """
        found: list[Renamed] = []
        for kind in Kind:
            new = [each for each in changes if self._is_new(each, kind, but)]
            links = self._vanished(kind, left, elders) if new else []
            index = _indexed(kind, links)
            for change in new if links else ():
                found += islice(self._for(change, index), SAID - len(found))
        return found

    def _is_new(self, change: Change, kind: Kind, but: Collection[Key]) -> bool:
        made = change.op is Op.CREATE or (change.op is Op.BLOCKED and change.target_id is None)
        is_told = kind is Kind.BUDGET and ("", change.ref) in but
        return made and change.kind is kind and change.desired is not None and not is_told

    def _vanished(
        self, kind: Kind, left: BitSet, elders: Collection[int]
    ) -> list[tuple[Link, Facts]]:
        ids = self._ledger.ids(kind)
        absent = [id for id in ids if not (id in self._mentioned or id in left or id in elders)]
        shown = (
            (link, self._seen.last_seen(link.id, agreed))
            for link, agreed in self._ledger.agreements(absent)
        )
        there = [each for each in shown if self._is_there(*each)]
        return sorted(there, key=lambda each: (each[0].budget_ref, each[0].ref))

    def _for(self, change: Change, index: _Index) -> Iterator[Renamed]:
        """By what is most telling alone; each of several."""
        assert change.desired is not None
        for by, likes in _likes(change.kind, change.ref, facts(change.desired)):
            above = change.budget_ref or ""
            if links := index.get((above, by, likes)):
                yield from (hint(self._sync, each, change.ref, by) for each in links)
                return


def _indexed(kind: Kind, links: Sequence[tuple[Link, Facts]]) -> _Index:
    index: _Index = defaultdict(list)
    for link, values in links:
        for by, likes in _likes(kind, link.ref, values):
            index[link.budget_ref, by, likes].append(link)
    return index


def _likes(kind: Kind, ref: str, values: Facts) -> Iterator[tuple[str, Fact]]:
    """What an object may be known by under another ref, most telling first."""
    said = dict(zip(FIELDS[kind], values, strict=True))
    yield "spelling", likeness(ref)
    yield NAMED[kind], said[NAMED[kind]]
    if said["amount"] is not None:
        yield "amount", (said["amount"], said["currency"], said["cadence"])

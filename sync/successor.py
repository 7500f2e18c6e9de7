"""Successor: a new budget that may be one which the source stopped stating, under another ref.

A code that is spelled otherwise, or a new code for the same name, would make a second budget and
take the first one out, history and all. Which of the two it is, only a person can say.
"""

from collections import defaultdict
from collections.abc import Collection
from functools import cached_property

from canonical.change import Conflict, Renamed
from canonical.facts import BUDGET_FIELDS, Facts
from canonical.kind import FIELDS, Kind
from canonical.text import likeness
from connectors.contract.capabilities import Capabilities
from sync.answers import answer_to
from sync.decide import Wanted, is_out_of_use
from sync.decided import Decisions
from sync.match import Key
from sync.observe import BitSet, Observation
from sync.renamed import hint
from sync.spec import OnRemove
from sync.state.ledger import Ledger, Link

_BY = {"ref": "spelling", "name": "name"}
_NAME = BUDGET_FIELDS.index("name")


class Successors:
    """Judges new budgets, once all that the source states is `mentioned`.

    `disputed` are the links of those that a new one may be: they stay. `renames` says the same as
    hints; `told` are the keys of those of which it is asked, or decided, what they are.
    """

    def __init__(
        self,
        sync: str,
        policy: OnRemove,
        able: Capabilities,
        ledger: Ledger,
        seen: Observation,
        mentioned: BitSet,
        as_of: str,
        elders: Collection[int],
        decisions: Decisions,
    ) -> None:
        self._sync = sync
        self._policy, self._able, self._ledger, self._seen = policy, able, ledger, seen
        self._mentioned, self._as_of, self._elders = mentioned, as_of, elders
        self._decisions = decisions
        self.disputed: dict[int, str] = {}
        self.renames: list[Renamed] = []
        self.told: set[Key] = set()

    def conflict(self, wanted: Wanted) -> Conflict | None:
        """What has to be decided before this new budget is made; None where nothing has."""
        if wanted.kind is not Kind.BUDGET:
            return None
        ref = wanted.key[1]
        for said, key in (("ref", likeness(ref)), ("name", wanted.facts[_NAME])):
            found = self._vanished.get((said, str(key)), ())
            if not found:
                continue
            self.told.add(wanted.key)
            hints = [hint(self._sync, link, ref, _BY[said]) for link in found]
            conflict = _conflict(ref, said, found, hints)
            if answer_to(conflict, self._decisions) is not None:
                continue  # a person said that it is another one
            for link in found:
                self.disputed[link.id] = f"{ref}, which is new, may be the same"
            self.renames += hints
            return conflict
        return None

    @cached_property
    def _vanished(self) -> dict[tuple[str, str], list[Link]]:
        """What the target still has of what is stated no more, by spelling of its ref and name."""
        absent = [
            id
            for id in self._ledger.ids(Kind.BUDGET)
            if id not in self._mentioned and id not in self._elders
        ]
        found: dict[tuple[str, str], list[Link]] = defaultdict(list)
        for link, agreed in self._ledger.agreements(absent):
            if self.is_there(link, self._seen.last_seen(link.id, agreed)):
                found["ref", likeness(link.ref)].append(link)
                found["name", str(agreed.desired[_NAME])].append(link)
        return found

    def is_there(self, link: Link, values: Facts) -> bool:
        """Whether it is in use and not over, as last year's budget of a name is."""
        said = dict(zip(FIELDS[link.kind], values, strict=True))
        over = said["end"] is not None and str(said["end"]) < self._as_of
        out = is_out_of_use(said["status"], self._able, self._policy)
        return self._seen.has(link.id) and not over and not out


def _conflict(ref: str, said: str, found: Collection[Link], hints: Collection[Renamed]) -> Conflict:
    elders = ", ".join(link.ref for link in found)
    like = "the spelling of its ref" if said == "ref" else "the name"
    ways = [each.command for each in hints]
    reason = (
        f"it is new and has {like} of {elders}, which the source states no more: if it is the same,"
        f" say so ({' or '.join(ways)}) or state it as {elders} again; if not, give it another "
        f"{said}"
    )
    ids = tuple(link.target_id for link in found)
    return Conflict(Kind.BUDGET, ref, None, reason, ids, ways=("none", *ways))

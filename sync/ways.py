"""Ways: which words decide a wait, and what each of them comes to."""

from collections.abc import Sequence
from typing import Final

from canonical.facts import Fact
from canonical.kind import FIELDS, Kind
from canonical.waiting import Rule
from sync.decided import Take
from sync.queue import ANY_ID, ANY_VALUE
from sync.state.decisions import Decided, Remembered, Ruling
from sync.state.ledger import Ledger
from sync.state.store import Store
from sync.state.waits import Undecidable, Wait
from sync.valued import fact_of

_WORDS: Final = {each.value: each for each in Take if each not in (Take.VALUE, Take.ID)}


class Ways:
    """Makes rulings of what people typed, for one state; asks no system anything."""

    def __init__(self, store: Store) -> None:
        self._store, self._decided = store, Decided(store)
        self._before: dict[str, Remembered] = {}
        self._taken: dict[tuple[str, Kind, str], int] = {}

    def ruling(self, wait: Wait, said: str, note: str | None = None) -> Ruling:
        """What `said` decides of the wait; raises `Undecidable` with the ways that there are."""
        said, ways = said.strip(), wait.question.ways
        if said in _WORDS and said in ways:
            return Ruling(wait=wait, take=_WORDS[said], note=note)
        if said in _WORDS or not said:
            raise self._refused(wait, said)
        if said in wait.waiting.candidates and said in ways:
            self._ensure_free(wait, said)
            return Ruling(wait=wait, take=Take.ID, value=said, note=note)
        if ANY_ID in ways:
            return Ruling(wait=wait, take=Take.ID, value=said, note=note)
        if ANY_VALUE in ways and wait.waiting.field is not None:
            if self._store.mask(said) != said:
                raise Undecidable(f"{wait.number}: the value holds a secret of the settings")
            value = self._fact(wait, said)
            return Ruling(wait=wait, take=Take.VALUE, value=value, note=note)
        raise self._refused(wait, said)

    def _fact(self, wait: Wait, said: str) -> Fact:
        field = str(wait.waiting.field)
        currency = self._currency(wait) if field == "amount" else None
        try:
            return fact_of(field, said, currency)
        except Undecidable as error:
            raise Undecidable(f"{wait.number}: {error}") from None

    def _currency(self, wait: Wait) -> str | None:
        """What the field's amounts are in: as the wait says it, else as both sides last agreed."""
        if wait.waiting.money is not None and " " in wait.waiting.money:
            return wait.waiting.money.rpartition(" ")[2]
        kind, key = wait.waiting.kind, (wait.waiting.budget_ref or "", wait.waiting.ref)
        if kind is None:
            return None
        ledger = Ledger(self._store, wait.sync)
        link = ledger.by_refs(kind, [key]).get(key)
        if link is None:
            return None
        found = ledger.baselines([link.id])[link.id].echo[FIELDS[kind].index("currency")]
        return None if found is None else str(found)

    def _ensure_free(self, wait: Wait, id: str) -> None:
        """One object of the target goes to one of ours."""
        if wait.waiting.rule is not Rule.MATCH or wait.waiting.kind is None:
            return
        kind, key = wait.waiting.kind, (wait.waiting.budget_ref or "", wait.waiting.ref)
        if wait.sync not in self._before:
            self._before[wait.sync] = self._decided.open(wait.sync)
        for taken, other_key in self._before[wait.sync].takers(id):
            if taken is kind and other_key != key:
                other = other_key[1]
                raise Undecidable(f"{wait.number}: it is decided already that {id} is {other}")
        other_wait = self._taken.setdefault((wait.sync, kind, id), wait.number)
        if other_wait != wait.number:
            raise Undecidable(f"{wait.number}: {id} cannot be {other_wait} as well")

    def _refused(self, wait: Wait, said: str) -> Undecidable:
        ways = [each for each in wait.question.ways if not each.startswith("trueup ")]
        commands = [each for each in wait.question.ways if each.startswith("trueup ")]
        rule = wait.waiting.rule
        if not ways:
            what = f"do: {'; or '.join(commands)}" if commands else "see what it says"
            return Undecidable(f"{wait.number} ({rule}) is not decided by a word; {what}")
        shown = f"--take {said}" if said else "an empty --take"
        return Undecidable(f"{wait.number} ({rule}): {shown} is no way out; take {_either(ways)}")


def _either(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last

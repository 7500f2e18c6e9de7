"""The ways out of what waits, as buttons: what each is called, and what it would do in money."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from canonical.money import said as told
from canonical.waiting import Rule, Waiting
from sync.queue import ANY_ID, ANY_VALUE
from sync.state.waits import Wait
from trueup.deeds import value_text
from trueup.waits import money_text

WORD: Final = "word "
"""Before what a button takes; what is typed into a field comes without it."""
TYPED: Final = "typed"
_ENDED: Final = {
    "applied": "it happened",
    "not-applied": "it did not happen, and is planned anew",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way out: `said` is what its button sends, "" where it is done elsewhere: at the page
    `at`, or as a command in a terminal. `name` is shown; `effect` is what it would do."""

    said: str
    name: str
    effect: str = ""
    at: str = ""

    @property
    def is_typed(self) -> bool:
        """Whether it takes what is put into a field."""
        return self.said == TYPED


def ways_of(wait: Wait) -> Iterator[Way]:
    """Those of one wait, in their order."""
    approvals, plans = "", ""
    for way in wait.question.ways:
        if way in (ANY_VALUE, ANY_ID):
            yield Way(TYPED, "this value" if way == ANY_VALUE else "this id", _typed(way))
        elif not way.startswith("trueup "):
            yield Way(f"{WORD}{way}", way, effect(wait.waiting, way))
        elif way.startswith(("trueup approve ", "trueup reject ")):
            approvals = approvals or way.split()[2]
        elif way.startswith("trueup run "):
            plans = wait.sync
        else:
            yield Way("", way)
    if approvals:
        yield Way("", "See the plan, and approve or refuse it", at=f"/approvals/{approvals}")
    if plans:
        yield Way("", "Make a plan, and let it through there", at="/plans")


def effect(waiting: Waiting, word: str) -> str:
    """What a word comes to, with the money that moves or hangs on it."""
    hangs = f", {money_text(waiting.money)}" if waiting.money else ""
    if waiting.rule is Rule.UNCERTAIN:
        return f"{_ENDED.get(word, 'it happened, and this is what it made')}{hangs}"
    if waiting.rule is Rule.MATCH:
        return f"{'none of them is it' if word == 'none' else 'this object is it'}{hangs}"
    if waiting.field is None:
        return f"as the {word} has it{hangs}"
    return _kept(waiting, word)


def _kept(waiting: Waiting, word: str) -> str:
    """The value that both sides get, and for money how much that moves on which side."""
    ours, theirs = waiting.currencies
    kept, other = (waiting.source, waiting.target), ("target", "source")
    at = 0 if word == "source" else 1
    value = value_text(str(waiting.field), kept[at], (ours, theirs)[at]) or "nothing"
    if waiting.field != "amount" or ours is None or ours != theirs:
        return f"{value} counts"
    try:
        step = Decimal(str(kept[at])) - Decimal(str(kept[1 - at]))
    except InvalidOperation:  # one side has none
        return f"{value} counts"
    more = "more" if step > 0 else "less"
    return f"{value} counts, {told(abs(step))} {more} than the {other[at]}"


def _typed(way: str) -> str:
    return "counts for both sides" if way == ANY_VALUE else "is the object that it made"

"""Meaning: what people said of which object stands for a ref, though nothing asked them."""

from dataclasses import dataclass
from enum import StrEnum
from shlex import quote

from canonical.kind import Kind
from canonical.text import ref as spelled
from sync.match import Key


class Word(StrEnum):
    """What was said of a ref and an object of the target.

    `link`   the object is the ref's: the next plan adopts it
    `apart`  the object is the ref's no more; what the ref is to be, a plan asks
    `anew`   the object is the ref's no more, and another one is to be made
    """

    LINK = "link"
    APART = "apart"
    ANEW = "anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One such word; `number` is 0 while it is only supposed."""

    number: int = 0
    word: Word
    kind: Kind
    key: Key
    id: str


def named(ref: str, budget: str | None) -> tuple[Kind, Key]:
    """What a person names: the budget `ref`, or that allocation of `budget`."""
    if budget is None:
        return Kind.BUDGET, ("", spelled(ref))
    return Kind.ALLOCATION, (spelled(budget), spelled(ref))


def unlinking(sync: str, kind: Kind, key: Key) -> str:
    """The command that frees what is linked to that key."""
    below = f" --budget {quote(key[0])}" if kind is Kind.ALLOCATION else ""
    return f"trueup unlink {quote(sync)} {quote(key[1])}{below}"

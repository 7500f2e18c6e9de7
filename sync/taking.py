"""Taking back: what the target has, and the source is to have too, on its way to who does it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from canonical.facts import Fact
from sync.counterpart import Counterpart
from sync.decide import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """Fields of one object in which the source is to be as the target is, or as was decided.

    `wanted` is the object as the source states it: `wanted.item` is its record there, with its id
    and container. `there` is what the target shows. `fields` are the values, in the target's terms,
    but that budgets above are named by our refs.
    """

    wanted: Wanted
    there: Counterpart
    fields: Mapping[str, Fact]


class Taken(NamedTuple):
    """What became of it: nothing is agreed of the fields that are `open` until the source is as it
    ought to be, and those of them that are `blocked` it cannot be told."""

    open: Collection[str] = ()
    blocked: Collection[str] = ()


class Returning(Protocol):
    """Brings the target's values back into the source of one plan."""

    def take_back(self, back: TakeBack) -> Taken:
        """Change the source for it as far as that can be. Nothing is open where it cannot be
        written: then the target's values stand."""

    def refusal(self, back: TakeBack) -> str | None:
        """Why not all of it could be brought back; None where it could. Changes nothing."""


class Accepting:
    """For a source that is only read: what the target has is accepted."""

    def take_back(self, back: TakeBack) -> Taken:
        """Nothing of it."""
        return Taken()

    def refusal(self, back: TakeBack) -> str | None:
        """Nothing stands against what is only accepted."""
        return None

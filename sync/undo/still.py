"""Still: what of an object is as a run left it, so that it can be put back to what it was.

What somebody edited since is theirs. What says how much counts when goes back together or not at
all: an amount of a year is no amount of a month.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from canonical.compare import Baseline
from canonical.facts import MONEY_FIELDS, SAID_BY_NONE, TAKEN_BACK_BY_NONE, Fact
from canonical.image import Image
from canonical.kind import FIELDS
from canonical.money import MONEY
from sync.state.journal import Operation, State
from sync.undo.deed import Deed

HIDDEN = "***"
"""What the journal keeps in the place of a secret."""


@dataclass(frozen=True, slots=True)
class Still:
    """An object as it is `now`, against the `deed` of a run; all in the owner's terms.

    `later` is what other runs sent for it since, of which those in `ours` took back the same run;
    one that is `torn` was left by them neither as it was nor as the run left it.
    """

    deed: Deed
    now: Image
    agreed: Baseline
    later: Sequence[Operation] = ()
    ours: Collection[str] = ()
    torn: bool = False

    def judged(self, fields: Collection[str]) -> tuple[dict[str, Fact], dict[str, str]]:
        """Of those fields what each is to be again; and why each of the others stays as it is.

        What is again as it was is in neither.
        """
        names = [name for name in self.deed.fields if name in fields and not self._is_back(name)]
        stays = {name: said for name in names if (said := self._why_not(name)) is not None}
        money = [name for name in names if name in MONEY]
        stuck = next((name for name in money if name in stays), None)
        if money and (stuck := stuck or self._moved_money()):
            together = f"{stuck} stays as it is, and goes with it"
            stays |= {name: together for name in money if name not in stays}
        return {name: self.deed.before.get(name) for name in names if name not in stays}, stays

    def as_agreed(self) -> dict[str, Fact]:
        """The whole object as a later plan shall find it: nothing in it that we never said, and
        what somebody moved as it is now."""
        said, echoes = self._agreed()
        return {
            name: there
            if said[name] is not None and (there != echoes[name] or name in MONEY_FIELDS)
            else said[name]
            for name, there in self.now.items()
        }

    def _is_back(self, name: str) -> bool:
        before = self.deed.before.get(name)
        return not self._is_unknown(name) and self._holds(name, before)

    def _is_unknown(self, name: str) -> bool:
        """Whether the target does not show the field, and nobody had said what it was to be."""
        left = self.deed.after.get(name)
        shown = (self.deed.before.get(name), self.now[name]) != (None, None)
        return not shown and left is not None and self._agreed()[0][name] == left

    def _holds(self, name: str, value: Fact) -> bool:
        """Whether it has that value, or the target's own spelling of it."""
        said, echoes = self._agreed()
        there = self.now[name]
        return there == value or (said[name] == value and there == echoes[name])

    def _is_as_left(self, name: str) -> bool:
        as_left = self._holds(name, self.deed.after.get(name))
        return self.torn or as_left or self._is_half_back(name)

    def _is_half_back(self, name: str) -> bool:
        """Whether only an earlier undo of the same run wrote it since, and broke off."""
        wrote = [each for each in self.later if name in each.fields]
        if not wrote or any(each.run_id not in self.ours for each in wrote):
            return False
        return wrote[-1].state is not State.APPLIED or self.now[name] == self._agreed()[1][name]

    def _why_not(self, name: str) -> str | None:
        if self._is_unknown(name):
            return "the target does not show it, so nobody knows what it was"
        if not self._is_as_left(name):
            left, there = self.deed.after.get(name), self.now[name]
            return f"it was changed since, from {_said(left)} to {_said(there)}"
        if name == "budget" and self.deed.before.get(name) is None:
            return "the budget that it was in is not ours"
        if self.deed.before.get(name) is None and name not in SAID_BY_NONE | TAKEN_BACK_BY_NONE:
            return "there was none, and it cannot be taken out again"
        if HIDDEN in str(self.deed.before.get(name)):
            return "what it was held a secret, and was not kept"
        return None

    def _moved_money(self) -> str | None:
        """A field that tells money and is neither as it was nor as the run left it."""
        for name in MONEY:
            known = self.deed.after.get(name) is not None
            if known and not (self._is_as_left(name) or self._was_put_back(name)):
                return name
        return None

    def _was_put_back(self, name: str) -> bool:
        return name in self.deed.fields and self._is_back(name)

    def _agreed(self) -> tuple[Mapping[str, Fact], Mapping[str, Fact]]:
        names = FIELDS[self.deed.kind]
        said = dict(zip(names, self.agreed.desired, strict=True))
        return said, dict(zip(names, self.agreed.echo, strict=True))


def _said(fact: Fact) -> str:
    return "nothing" if fact is None else str(fact)

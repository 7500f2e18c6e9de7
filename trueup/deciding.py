"""Deciding for the command line and for scripts: which waits are meant, and who ends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from canonical.side import Side
from canonical.waiting import Rule
from config.wiring import sync_of
from sync.state.decisions import Decided, Ruling
from sync.state.owners import Owners
from sync.state.store import Store
from sync.state.waits import DecidedAlready, Undecidable, Wait, Waits
from sync.verdict import Verdicts
from sync.ways import Ways

if TYPE_CHECKING:
    from config.settings import Settings
    from connectors.contract.interface import Connector

_TOLD = 5
"""So many refusals are told of one by one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A wait for which what was said is no way out, and why."""

    wait: Wait
    reason: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What was decided, and what was left as it is."""

    rulings: tuple[Ruling, ...]
    refused: tuple[Refused, ...] = ()


class Deciding:
    """Decides in one workspace."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        system: Callable[[str], Connector],
        account: Callable[[str], str],
        turn: Callable[[str], AbstractContextManager[object]],
        now: Callable[[], datetime],
        day: date,
    ) -> None:
        self._settings, self._store, self._system = settings, store, system
        self._account, self._turn, self._now, self._day = account, turn, now, day
        self._waits = Waits(store)

    def decide(
        self,
        numbers: Sequence[int],
        take: str,
        note: str | None = None,
        seen: Mapping[int, int | None] | None = None,
    ) -> Deed:
        """Decide all of these, or raising `Undecidable` none.

        `seen` is the decision that was shown with each, None for none: where there is another one
        by now, it raises `DecidedAlready`. Without it what was decided before is replaced.
        """
        found = self._waits.get(numbers)
        for number, known in (seen or {}).items():
            _ensure_seen(number, found.get(number), known)
        if unknown := sorted({*numbers} - found.keys()):
            some = ", ".join(map(str, unknown[:_TOLD]))
            raise Undecidable(f"nothing waits as {some}; `trueup waiting` lists what does")
        deed = self._ruled([found[number] for number in sorted(found)], take, note)
        if deed.refused:
            said = [each.reason for each in deed.refused[:_TOLD]]
            if (more := len(deed.refused) - _TOLD) > 0:
                said.append(f"and {more} more")
            raise Undecidable("; ".join(said))
        self._do(deed.rulings, first=seen is not None)
        return deed

    def decide_all(
        self, rule: Rule, take: str, sync: str | None = None, note: str | None = None
    ) -> Deed:
        """Decide all that waits by that rule; that which has no such way out is left and named."""
        if sync is not None:
            sync_of(self._settings, sync)
        syncs = [*self._settings.syncs] if sync is None else [sync]
        waits = [
            each for each in self._waits.queue(syncs).waits
            if each.waiting.rule is rule and each.answer is None
        ]  # fmt: skip
        deed = self._ruled(waits, take, note)
        self._do(deed.rulings)
        return deed

    def _ruled(self, waits: Sequence[Wait], take: str, note: str | None) -> Deed:
        ways, rulings, refused = Ways(self._store), list[Ruling](), list[Refused]()
        for each in waits:
            sync_of(self._settings, each.sync)
            try:
                rulings.append(ways.ruling(each, take, note))
            except Undecidable as error:
                refused.append(Refused(each, str(error)))
        return Deed(tuple(rulings), tuple(refused))

    def _do(self, rulings: Sequence[Ruling], *, first: bool = False) -> None:
        """What ends a write is done at once, one by one; the rest waits for a run, all or none."""
        now = [each for each in rulings if each.wait.waiting.rule is Rule.UNCERTAIN]
        later = [each for each in rulings if each.wait.waiting.rule is not Rule.UNCERTAIN]
        for each in now:
            self._end(each)
        if later:
            Decided(self._store).decide(later, first=first)

    def _end(self, ruling: Ruling) -> None:
        sync = ruling.wait.sync
        settings = sync_of(self._settings, sync)
        source, target = settings.source, settings.target
        account = self._account(target)
        owners = Owners(self._store, sync, account)
        owners.refresh()
        systems = {
            Side.SOURCE: lambda: self._system(source),
            Side.TARGET: lambda: self._system(target),
        }
        with self._turn(account):
            verdicts = Verdicts(self._store, sync, systems, owners, self._now, self._day)
            verdicts.end(ruling)


def _ensure_seen(number: int, wait: Wait | None, known: int | None) -> None:
    """Raise `DecidedAlready` where it was decided otherwise than was shown."""
    if wait is not None and wait.answer is not None and wait.answer.number != known:
        raise DecidedAlready(number)

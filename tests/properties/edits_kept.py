"""What must have become of every edit that people made on one of two sides.

Each edit has a value of its own, so what stands on a side tells whose edit it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sync.fields import OnConflict, Owner


class Two(NamedTuple):
    """One field as both sides have it."""

    source: Any
    target: Any


@dataclass(frozen=True)
class Told:
    """A field when a run that nothing disturbed begins, and what happened since the last such run.

    `agreed` is how both had it then, `now` as they have it; `sides` says in which order each was
    edited, and `broken` whether a run in between was disturbed. `taken` are values that a person
    decided on.
    """

    agreed: Two
    now: Two
    sides: tuple[str, ...] = ()
    broken: bool = False
    taken: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Judge:
    """Says what a field may be after a run: `waits` is whether it is in the queue, `blocked`
    whether the plan says that it cannot be done."""

    on_conflict: OnConflict
    only_read: bool

    def fault(self, word: Owner, told: Told, after: Two, *, waits: bool, blocked: bool) -> str:
        """What is wrong with it; empty where nothing is."""
        allowed = self._allowed(word, told, waits=waits)
        if after in allowed or (blocked and after == told.now):
            return ""
        return f"{word}: {told} became {after}, {waits=}, {blocked=}"

    def _allowed(self, word: Owner, told: Told, *, waits: bool) -> list[Two]:
        by_source, by_target = Two(*[told.now.source] * 2), Two(*[told.now.target] * 2)
        if told.now.source == told.now.target:  # they may differ in blanks, and wait for that
            return [told.now, *self._decided(told)]
        if word is Owner.IGNORE:
            return [told.now]
        if word is Owner.SOURCE:
            return [by_source]
        stays = told.now if self.only_read else by_target
        if word is Owner.TARGET:
            return [stays, *self._decided(told)]
        if told.broken:
            return self._broken(word, told, stays, waits=waits)
        return self._whole(word, told, stays, waits=waits)

    def _whole(self, word: Owner, told: Told, stays: Two, *, waits: bool) -> list[Two]:
        """Of a field that may be moved by both, where each run since was whole."""
        source, target = told.now.source, told.now.target
        moved = source != told.agreed.source, target != told.agreed.target
        if told.taken:
            return [told.now] if waits else self._decided(told)
        if moved == (False, False):
            return [told.now]
        if moved == (True, False):
            return [Two(source, source)]
        if moved == (False, True):
            return [stays] if word is Owner.EITHER else [told.now] * waits
        return self._conflict(told, stays, waits=waits)

    def _conflict(self, told: Told, stays: Two, *, waits: bool) -> list[Two]:
        if self.on_conflict is OnConflict.SOURCE:
            return [Two(*[told.now.source] * 2)]
        if self.on_conflict is OnConflict.TARGET:
            return [stays]
        return [told.now] * waits

    def _broken(self, word: Owner, told: Told, stays: Two, *, waits: bool) -> list[Two]:
        """The last edit stands where it was made, or the word lets the other side win."""
        by_source = Two(*[told.now.source] * 2)
        last = told.sides[-1] if told.sides else ""
        allowed = [*([told.now] * waits), *self._decided(told)]
        may_source = last == "source" or self.on_conflict is OnConflict.SOURCE or not last
        may_target = last == "target" or self.on_conflict is OnConflict.TARGET or not last
        if may_source:
            allowed.append(by_source)
        if may_target and (word is Owner.EITHER or "source" in told.sides or told.taken):
            allowed.append(stays)
        return allowed if told.sides else [*allowed, told.now]

    def _decided(self, told: Told) -> list[Two]:
        both = [Two(each, each) for each in told.taken]
        return both + [Two(told.now.source, each) for each in told.taken] * self.only_read


@dataclass
class Diary:
    """What is known of each field of each object: (kind, key) → field → what was told of it."""

    told: dict[Any, dict[str, Told]] = field(default_factory=dict)

    def edited(self, place: Any, name: str, side: str) -> None:
        """Somebody edited that field of an object that both sides had."""
        fields = self.told.get(place, {})
        if name in fields:
            fields[name] = replace(fields[name], sides=(*fields[name].sides, side))

    def took(self, place: Any, name: str, value: Any) -> None:
        """A person decided that this value counts."""
        fields = self.told.get(place, {})
        if name in fields:
            fields[name] = replace(fields[name], taken=(*fields[name].taken, value))

    def disturbed(self) -> None:
        """A run did a part of what it should."""
        for fields in self.told.values():
            fields.update({name: replace(each, broken=True) for name, each in fields.items()})

    def moved(self, old: Any, new: Any) -> None:
        """The object is known by another key."""
        if old in self.told:
            self.told[new] = self.told.pop(old)

    def forget(self, place: Any) -> None:
        """Somebody removed it: nothing is told of it until both have it again."""
        self.told.pop(place, None)

    def before(self, now: Mapping[Any, Mapping[str, Two]]) -> dict[Any, dict[str, Told]]:
        """All of it, with what both sides have before a run."""
        return {
            place: {name: replace(each, now=now[place][name]) for name, each in fields.items()}
            for place, fields in self.told.items()
            if place in now
        }

    def settle(self, now: Mapping[Any, Mapping[str, Two]], waiting: Any) -> None:
        """A run was whole; what waits stays told as it was."""
        self.told = {
            place: {
                name: self._kept(place, name, two) if (place, name) in waiting else Told(two, two)
                for name, two in fields.items()
            }
            for place, fields in now.items()
        }

    def _kept(self, place: Any, name: str, two: Two) -> Told:
        known = self.told.get(place, {}).get(name)
        return replace(known, taken=()) if known else Told(two, two, broken=True)

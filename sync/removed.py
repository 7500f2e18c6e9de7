"""Removed: what one side has no more, and the other changed since: a person decides."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from canonical.compare import Baseline
from canonical.facts import Fact, Facts
from canonical.kind import FIELDS, NAMED, Kind
from canonical.waiting import Rule, Waiting
from sync.decided import Decisions, Take
from sync.fields import Fields, OnConflict, Owner
from sync.match import Key
from sync.state.ledger import Link


class Removed:
    """Judges what is missing on one side, by the words of the fields."""

    def __init__(
        self, fields: Fields, held: Mapping[Kind, Collection[str]], decisions: Decisions
    ) -> None:
        self._fields, self._held, self._decisions = fields, held, decisions

    def dropped(self, link: Link, observed: Facts, agreed: Baseline) -> Take | Waiting:
        """What the source dropped: `SOURCE` where it may go, `TARGET` where it is to stay."""
        moved = self._moved(link.kind, observed, agreed)
        if not moved:
            return Take.SOURCE
        reason = "the source dropped it, and the target changed it since both last agreed"
        about = _about(link.kind, (link.budget_ref, link.ref), observed, reason)
        question = replace(about, target=moved, agreed=_before(moved, link, agreed))
        if self._fields.on_conflict is not OnConflict.ASK:
            return Take(self._fields.on_conflict.value)
        return self._decided(question)

    def gone(self, link: Link, agreed: Baseline) -> Take | Waiting:
        """What the target lost: `SOURCE` where it is to be made anew, `TARGET` where it is carried
        no more."""
        if not self._fields.is_two_way:
            return Take.SOURCE
        reason = "the target has it no more, and the source has it still"
        about = _about(link.kind, (link.budget_ref, link.ref), agreed.echo, reason)
        return self._decided(replace(about, source=about.name))

    def _decided(self, question: Waiting) -> Take | Waiting:
        assert question.kind is not None
        key = question.budget_ref or "", question.ref
        decision = self._decisions.of(question.kind, key).get(None)
        known = decision is not None and decision.holds(question)
        if decision is None or not known or decision.take not in (Take.SOURCE, Take.TARGET):
            return question
        return decision.take

    def _moved(self, kind: Kind, observed: Facts, agreed: Baseline) -> tuple[tuple[str, Fact], ...]:
        """What the target changed of what it may own, with its values."""
        mirror = (Owner.SOURCE, Owner.IGNORE)
        return tuple(
            (name, now)
            for name, now, then in zip(FIELDS[kind], observed, agreed.echo, strict=True)
            if now != then
            and name in self._held[kind]
            and self._fields.of(kind, name) not in mirror
        )


def _before(moved: Collection[tuple[str, Fact]], link: Link, agreed: Baseline) -> Fact:
    """What was agreed of the same fields."""
    then = dict(zip(FIELDS[link.kind], agreed.echo, strict=True))
    return tuple((name, then[name]) for name, _ in moved)


def _about(kind: Kind, key: Key, values: Facts, reason: str) -> Waiting:
    said = dict(zip(FIELDS[kind], values, strict=True))
    amount, unit = said["amount"], said["currency"]
    return Waiting(
        rule=Rule.REMOVED,
        reason=reason,
        kind=kind,
        ref=key[1],
        budget_ref=key[0] or None,
        name=str(said[NAMED[kind]] or key[1]),
        money=f"{amount} {unit}" if amount is not None and unit is not None else None,
    )

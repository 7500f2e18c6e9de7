"""Merge: whose value counts, field by field, from three: desired, observed, and what was agreed.

word     nothing agreed yet   nobody moved   the source did   the target did      both did
------   ------------------   ------------   --------------   -----------------   --------------
source   written              written        written          written (drift)     written (drift)
target   taken back           stays          taken back       taken back          taken back
either   a conflict           stays          written          taken back          a conflict
ask      a conflict           stays          written          waits (drift)       a conflict
ignore   stays                stays          stays            stays               stays

"Stays" is for what differs and was left so with consent, or is another spelling. What the calendar
or a rate alone moves is written as if the source had moved it, where the target shows what was
agreed; where another value of the target was accepted before, a rate leaves it, and another period
of the same statement is a conflict.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final

from canonical.allocation import Status
from canonical.compare import Baseline, Cause, Difference, differences
from canonical.facts import MONEY_FIELDS, SAID_BY_NONE, TAKEN_BACK_BY_NONE, Fact, Facts
from canonical.kind import FIELDS, Kind
from canonical.waiting import Rule, Waiting
from sync.decided import Decision, Take
from sync.fields import Fields, OnConflict, Owner
from sync.match import Key
from sync.remembering import UNWRITTEN
from sync.unread import TOGETHER

_SUM: Final = ("amount", "currency", "cadence")
"""Together they say how much it is: neither is decided without the others."""


class Way(Enum):
    """What becomes of a field that differs."""

    STAYS = auto()
    WRITE = auto()
    TAKE = auto()
    BOTH = auto()
    """A value that a person decided on goes to both sides."""
    HELD = auto()
    """It waits along with another field."""
    WAIT = auto()


class Moved(Enum):
    """What made another value of what the source states."""

    NO = auto()
    RATE = auto()
    CALENDAR = auto()
    EDIT = auto()
    UNWRITTEN = auto()
    """The target was not told the whole of it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One object on both sides: its facts in the target's terms, and what was last agreed.

    `stated` are the source's own facts now, `shown` those when both agreed; `rated` is whether it
    was converted at another rate then. `lent` are fields that the target's shares take from here.
    """

    kind: Kind
    key: Key
    name: str
    desired: Facts
    observed: Facts
    baseline: Baseline | None
    stated: Facts
    shown: Facts = ()
    rated: bool = False
    lent: frozenset[str] = frozenset()


@dataclass(slots=True)
class Merged:
    """What is to be done: `write` into the target, `take` into the source, and what `waits`.

    `both` are among `write`, and of the source too. `open` are the fields of which nothing new is
    agreed.
    """

    write: list[Difference] = field(default_factory=list)
    take: dict[str, Fact] = field(default_factory=dict)
    both: dict[str, Fact] = field(default_factory=dict)
    waits: list[Waiting] = field(default_factory=list)
    open: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What becomes of a field; `rule` where that was, or is, a question."""

    way: Way
    rule: Rule | None = None
    value: Fact = None
    reason: str = ""


def merge(
    pair: Pair,
    held: Collection[str],
    fields: Fields,
    decisions: Mapping[str | None, Decision],
) -> Merged:
    """Decide about one object; where the source owns every field it is `differences`.

    A decision counts where the question is still the one that it answers.
    """
    names = FIELDS[pair.kind]
    words = {name: fields.of(pair.kind, name) for name in held}
    mirrored = {name for name, word in words.items() if word is Owner.SOURCE}
    found = differences(names, mirrored, pair.desired, pair.observed, pair.baseline)
    merged = Merged(write=found)
    if len(mirrored) == len(words):
        return merged
    judge = _Judge(pair, fields, decisions)
    verdicts = {
        name: judge.of(index, name, words[name])
        for index, name in enumerate(names)
        if words.get(name, Owner.SOURCE) is not Owner.SOURCE
    }
    verdicts = judge.together(verdicts)
    whole = judge.of_whole(verdicts, words, found)
    return judge.merged(merged, verdicts, whole)


class _Judge:
    """Judges the fields of one pair."""

    def __init__(
        self, pair: Pair, fields: Fields, decisions: Mapping[str | None, Decision]
    ) -> None:
        self._pair, self._fields, self._decisions = pair, fields, decisions
        self._moved_money = any(
            pair.shown != UNWRITTEN and pair.stated[at] != pair.shown[at]
            for at, name in enumerate(FIELDS[pair.kind])
            if name in TOGETHER
        )

    # -- one field ---------------------------------------------------------------------------

    def of(self, at: int, name: str, word: Owner) -> _Verdict:
        """What becomes of the field of that index, for itself."""
        desired, observed = self._pair.desired[at], self._pair.observed[at]
        if desired == observed or not self._is_said(at, name, word):
            return _Verdict(Way.STAYS)
        source, target = self._source(at, name), self._target(at)
        if source is Moved.UNWRITTEN and not target:
            return _Verdict(Way.WRITE)
        if word is Owner.IGNORE:
            return _Verdict(Way.STAYS)
        if word is Owner.TARGET:
            found = self._targets(source, moved=target)
        else:
            found = self._either(at, name, word, source, moved=target)
        if found.way is Way.TAKE and found.rule is None and target and self._is_lent(name):
            reason = "the target moved it, and the shares that the source owns take it from there"
            return self._asked(at, name, Rule.CONFLICT, reason)
        return found

    def _is_lent(self, name: str) -> bool:
        """Whether shares of another owner would count otherwise: 100 a month be 100 a year."""
        of_shares = self._fields.of(Kind.ALLOCATION, "amount")
        return name in self._pair.lent and of_shares is Owner.SOURCE

    def _is_said(self, at: int, name: str, word: Owner) -> bool:
        """Whether the source says, takes back, or is to be told something about the field."""
        pair, agreed = self._pair, self._pair.baseline
        if pair.desired[at] is not None or name in SAID_BY_NONE:
            return True
        if agreed is None:
            return word is Owner.TARGET
        taken_back = name in TAKEN_BACK_BY_NONE and agreed.desired[at] is not None
        return taken_back or pair.observed[at] != agreed.echo[at]

    def _source(self, at: int, name: str) -> Moved:
        pair, agreed = self._pair, self._pair.baseline
        if agreed is None:
            return Moved.EDIT
        if pair.shown == UNWRITTEN:
            return Moved.UNWRITTEN
        if pair.desired[at] == agreed.desired[at]:
            return Moved.NO
        if self._moved_money if name in TOGETHER else pair.stated[at] != pair.shown[at]:
            return Moved.EDIT
        return Moved.RATE if pair.rated else Moved.CALENDAR

    def _target(self, at: int) -> bool:
        agreed = self._pair.baseline
        return agreed is None or self._pair.observed[at] != agreed.echo[at]

    def _targets(self, source: Moved, *, moved: bool) -> _Verdict:
        """Of a field that the target owns."""
        stays = not moved and source in (Moved.NO, Moved.RATE)
        return _Verdict(Way.STAYS if stays else Way.TAKE)

    def _either(self, at: int, name: str, word: Owner, source: Moved, *, moved: bool) -> _Verdict:
        """Of a field that both sides may move, or whose edits wait."""
        if moved:
            if source in (Moved.EDIT, Moved.UNWRITTEN):
                return self._conflict(at, name)
            if word is Owner.EITHER:
                return _Verdict(Way.TAKE)
            return self._asked(at, name, Rule.DRIFT, "it was edited in the target")
        if source is Moved.NO:
            return _Verdict(Way.STAYS)
        if source is Moved.EDIT or not self._is_accepted(at):
            return _Verdict(Way.WRITE)
        if source is Moved.RATE:
            return _Verdict(Way.STAYS)
        return self._conflict(
            at, name, "another value of the target was accepted, and the source's period is over"
        )

    def _is_accepted(self, at: int) -> bool:
        """Whether the target had another value when both last agreed."""
        agreed = self._pair.baseline
        return agreed is not None and agreed.desired[at] != agreed.echo[at]

    # -- questions ---------------------------------------------------------------------------

    def _conflict(self, at: int, name: str, reason: str = "") -> _Verdict:
        if self._fields.on_conflict is OnConflict.SOURCE:
            return _Verdict(Way.WRITE)
        if self._fields.on_conflict is OnConflict.TARGET:
            return _Verdict(Way.TAKE)
        agreed = self._pair.baseline
        never = agreed is None or agreed.desired[at] is None is agreed.echo[at]
        said = "both sides have it, and nothing was agreed yet" if never else "both sides moved it"
        return self._asked(at, name, Rule.CONFLICT, reason or said)

    def _asked(self, at: int, name: str, rule: Rule, reason: str) -> _Verdict:
        """What was decided, where that still holds; else it waits."""
        question = self._question(at, name, rule, reason)
        decision = self._decisions.get(name)
        if decision is None or not decision.holds(question):
            return _Verdict(Way.WAIT, rule, reason=reason)
        takes = {Take.SOURCE: Way.WRITE, Take.TARGET: Way.TAKE, Take.VALUE: Way.BOTH}
        way = takes.get(decision.take, Way.WAIT)
        if way is Way.BOTH and decision.value == self._pair.desired[at]:
            way = Way.WRITE
        elif way is Way.BOTH and decision.value == self._pair.observed[at]:
            way = Way.TAKE
        return _Verdict(way, rule, decision.value, reason)

    def _question(self, at: int, name: str, rule: Rule, reason: str) -> Waiting:
        pair, agreed = self._pair, self._pair.baseline
        return replace(
            self._about(rule, reason),
            field=name,
            source=pair.desired[at],
            target=pair.observed[at],
            agreed=None if agreed is None else agreed.echo[at],
            money=self._money(at, name),
            beside=self._beside(name),
        )

    def _about(self, rule: Rule, reason: str) -> Waiting:
        pair = self._pair
        budget_ref, ref = pair.key
        return Waiting(
            rule=rule,
            reason=reason,
            kind=pair.kind,
            ref=ref,
            budget_ref=budget_ref or None,
            name=pair.name,
        )

    def _beside(self, name: str) -> Fact:
        """What makes another sum of the same number, on both sides; None where no money is asked
        about."""
        if name not in TOGETHER:
            return None
        names = FIELDS[self._pair.kind]
        rest = (names.index(each) for each in _SUM if each != name)
        return tuple((names[at], self._pair.desired[at], self._pair.observed[at]) for at in rest)

    def _money(self, at: int, name: str) -> str | None:
        """The target's amount, with its currency."""
        names, observed = FIELDS[self._pair.kind], self._pair.observed
        amount, unit = (observed[names.index(each)] for each in ("amount", "currency"))
        told = name in MONEY_FIELDS and amount is not None and unit is not None
        return f"{amount} {unit}" if told else None

    # -- what hangs together -----------------------------------------------------------------

    def together(self, verdicts: Mapping[str, _Verdict]) -> dict[str, _Verdict]:
        """The same, with what says how much counts when coming from one side, all of it."""
        moving = {
            name: each
            for name, each in verdicts.items()
            if name in TOGETHER and each.way is not Way.STAYS
        }
        ways = {each.way for each in moving.values()}
        if Way.WAIT in ways:
            rest = {
                name: _Verdict(Way.HELD)
                for name, each in moving.items()
                if each.way is not Way.WAIT
            }
            return {**verdicts, **rest}
        if not {Way.WRITE, Way.TAKE} <= ways:
            return dict(verdicts)
        return {**verdicts, **self._apart(moving)}

    def _apart(self, moving: Mapping[str, _Verdict]) -> dict[str, _Verdict]:
        """Of fields of which each side moved some, although they go together."""
        reason = "each side moved a part of what says how much counts when"
        if self._fields.on_conflict is not OnConflict.ASK:
            by_source = self._fields.on_conflict is OnConflict.SOURCE
            return dict.fromkeys(moving, _Verdict(Way.WRITE if by_source else Way.TAKE))
        asked = {
            name: self._asked(FIELDS[self._pair.kind].index(name), name, rule, reason)
            for name, rule in ((name, each.rule or Rule.CONFLICT) for name, each in moving.items())
        }
        ways = {each.way for each in asked.values()}
        if {Way.WRITE, Way.TAKE} <= ways:
            return {name: replace(each, way=Way.WAIT) for name, each in asked.items()}
        if Way.WAIT not in ways:
            return asked
        return {
            name: each if each.way is Way.WAIT else _Verdict(Way.HELD)
            for name, each in asked.items()
        }

    def of_whole(
        self,
        verdicts: Mapping[str, _Verdict],
        words: Mapping[str, Owner],
        found: Sequence[Difference],
    ) -> Take | Waiting | None:
        """What becomes of an object that one side retires and the other has changed; None where it
        is not so."""
        pair, names = self._pair, FIELDS[self._pair.kind]
        at = names.index("status")
        status = verdicts.get("status", _Verdict(Way.STAYS)).way
        mirrored = any(each.field == "status" for each in found)
        if pair.desired[at] == Status.RETIRED and (status is Way.WRITE or mirrored):
            moved = self._changed(words, self._target)
            return self._removed("source", moved) if moved else None
        if pair.observed[at] == Status.RETIRED and status is Way.TAKE:
            moved = self._changed(words, lambda at: self._source(at, names[at]) is Moved.EDIT)
            return self._removed("target", moved) if moved else None
        return None

    def _changed(self, words: Mapping[str, Owner], moved: Callable[[int], bool]) -> Facts:
        """The fields, with their values, that a side moved and may move."""
        pair, mirror = self._pair, (Owner.SOURCE, Owner.IGNORE)
        if pair.baseline is None:
            return ()
        fields = enumerate(zip(FIELDS[pair.kind], pair.desired, pair.observed, strict=True))
        return tuple(
            (name, desired, observed)
            for at, (name, desired, observed) in fields
            if words.get(name, Owner.SOURCE) not in mirror
            and name != "status"
            and desired != observed
            and moved(at)
        )

    def _removed(self, by: str, moved: Facts) -> Take | Waiting | None:
        other = "target" if by == "source" else "source"
        retired: Fact = Status.RETIRED.value
        sides = (retired, moved) if by == "source" else (moved, retired)
        reason = f"the {by} retired it, and the {other} changed it since both last agreed"
        about = self._about(Rule.REMOVED, reason)
        question = replace(about, source=sides[0], target=sides[1])
        if self._fields.on_conflict is not OnConflict.ASK:
            return Take(self._fields.on_conflict.value)
        decision = self._decisions.get(None)
        if decision is None or not decision.holds(question):
            return question
        return decision.take if decision.take in (Take.SOURCE, Take.TARGET) else question

    # -- all of it ---------------------------------------------------------------------------

    def merged(
        self,
        merged: Merged,
        verdicts: Mapping[str, _Verdict],
        whole: Take | Waiting | None,
    ) -> Merged:
        """What is to be done about the whole."""
        pair = self._pair
        if isinstance(whole, Waiting):
            return Merged(waits=[whole], open=set(FIELDS[pair.kind]))
        for at, name in enumerate(FIELDS[pair.kind]):
            verdict = verdicts.get(name)
            if verdict is not None:
                self._put(merged, at, name, verdict)
        return merged if whole is None else self._as_whole(merged, whole)

    def _put(self, merged: Merged, at: int, name: str, verdict: _Verdict) -> None:
        desired, observed = self._pair.desired[at], self._pair.observed[at]
        if verdict.way is Way.WRITE:
            merged.write.append(Difference(name, observed, desired, self._cause(at, name)))
        elif verdict.way is Way.TAKE:
            merged.take[name] = observed
        elif verdict.way is Way.BOTH:
            merged.both[name] = verdict.value
            merged.write.append(Difference(name, observed, verdict.value, Cause.SOURCE))
        elif verdict.way is Way.HELD:
            merged.open.add(name)
        elif verdict.way is Way.WAIT and verdict.rule is not None:
            merged.open.add(name)
            merged.waits.append(self._question(at, name, verdict.rule, verdict.reason))

    def _cause(self, at: int, name: str) -> Cause:
        return Cause.DRIFT if self._target(at) and self._pair.baseline else Cause.SOURCE

    def _as_whole(self, merged: Merged, taken: Take) -> Merged:
        """All of it as one side has it: what the other one changed goes with it."""
        pair, at = self._pair, FIELDS[self._pair.kind].index("status")
        by_source = pair.desired[at] == Status.RETIRED
        if (taken is Take.SOURCE) != by_source:
            return self._revived(merged, taken)
        if by_source:
            return Merged(write=[each for each in merged.write if each.field == "status"])
        return Merged(take={"status": pair.observed[at]})

    def _revived(self, merged: Merged, taken: Take) -> Merged:
        """The side that did not retire it has its way."""
        pair, at = self._pair, FIELDS[self._pair.kind].index("status")
        if taken is Take.TARGET:
            rest = [each for each in merged.write if each.field != "status"]
            return replace(merged, write=rest, take={**merged.take, "status": pair.observed[at]})
        cause = self._cause(at, "status")
        status = Difference("status", pair.observed[at], pair.desired[at], cause)
        rest_taken = {name: value for name, value in merged.take.items() if name != "status"}
        return replace(merged, write=[*merged.write, status], take=rest_taken)

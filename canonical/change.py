"""Changes, change sets and plans: plain data that prints, saves, loads and applies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Annotated, Any, Final, Self

from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.compare import Cause
from canonical.data import model_data, model_of, moves_data, moves_of
from canonical.digest import digest_of
from canonical.facts import Fact, Facts, tuples
from canonical.kind import FIELDS, NAMED, Kind, Op
from canonical.loss import Loss
from canonical.money import Move
from canonical.problem import Problem
from canonical.side import Side
from canonical.waiting import Waiting

_Model = Annotated[
    Budget | Allocation, PlainValidator(model_of), PlainSerializer(model_data, when_used="json")
]
_Moves = Annotated[
    tuple[Move, ...], PlainValidator(moves_of), PlainSerializer(moves_data, when_used="json")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference to make in the target: one object, its fields before and after.

    `desired` is the whole object as the target should hold it (None for a removal);
    `seen` is the fingerprint of the target's object that this change was made for, `stated` that
    of what the source stated, both in hex. `money` tells what counts from which day on, from the
    plan's day: also what is stated and can only later be told to the target.
    `name` is what the target calls an object that is removed, whose model nobody has.
    `after` are the keys of objects that give up the name that this one takes: they go first. `via`
    is the temporary name that it has on the way, where names go round in a circle. `image` is all
    that was there of what is removed, in the owner's terms, and of what is updated that which was
    agreed and the target does not show: for the journal. `side` is the system that it is made in:
    `target_id`, `fields`, `desired` and `seen` are that system's.
    """

    op: Op
    kind: Kind
    ref: str
    budget_ref: str | None = None
    target_id: str | None = None
    fields: Mapping[str, tuple[Fact, Fact]] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    cause: Cause = Cause.SOURCE
    matched: str | None = None
    desired: _Model | None = None
    seen: str | None = None
    stated: str | None = None
    money: _Moves = field(default=(), compare=False)
    name: str | None = field(default=None, compare=False)
    after: tuple[tuple[Kind, str, str], ...] = field(default=(), compare=False)
    via: str | None = field(default=None, compare=False)
    image: Mapping[str, Fact] | None = field(default=None, compare=False)
    side: Side = Side.TARGET

    @property
    def key(self) -> tuple[Kind, str, str]:
        """Names the object within its sync."""
        return self.kind, self.budget_ref or "", self.ref

    @property
    def title(self) -> str:
        """What people call the object: a budget by its name, an allocation by its entity."""
        if self.name is not None or self.desired is None:
            return self.name or self.ref
        return title_of(self.desired)


def title_of(model: Budget | Allocation) -> str:
    """What people call an object: a budget by its name, an allocation by its entity."""
    return model.name if isinstance(model, Budget) else str(model.entity)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A decision that only a person can make, with the ids that it is between.

    `owner` is the other sync that one of them belongs to, if any. `ways` are what can be decided
    by a word: "id", that one of the candidates is meant, and "none", that none is. `name` is what
    people call the object, where that is known.
    """

    kind: Kind
    ref: str
    budget_ref: str | None
    reason: str
    candidates: tuple[str, ...] = ()
    owner: str | None = None
    ways: tuple[str, ...] = field(default=(), compare=False)
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """What the source states no more, as `old`, and may be what is new in it, as `new`.

    `by` is what both have: "name", "spelling", "amount" or "entity"; `command` says that they are
    one. `budget_ref` is that of an allocation.
    """

    kind: Kind
    old: str
    new: str
    budget_ref: str | None
    by: str
    command: str


@dataclass(frozen=True, slots=True)
class Handover:
    """An object that passes from another sync, the giver, to this one."""

    kind: Kind
    ref: str
    budget_ref: str | None
    target_id: str
    giver: str


@dataclass(frozen=True, slots=True)
class Trip:
    """A guard that stops the run: the rule, its limit, what was found, how to allow it; and what
    `--allow` takes for that, with the limit that would just be enough where there is one."""

    rule: str
    limit: str
    actual: str
    message: str
    override: str
    allow: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstated:
    """An object in use in the target that the source does not state.

    `name` is its name there, or the entity that an allocation is for. A linked one has the `ref`
    that it had, a `reason` why it stays, and as `cause` who let it go: the source, or the
    selection; one that nobody ever stated has none of them.
    """

    kind: Kind
    target_id: str
    name: str
    amount: str | None
    currency: str | None
    ref: str | None = None
    budget_ref: str | None = None
    reason: str | None = None
    cause: Cause | None = None

    @classmethod
    def of(
        cls,
        kind: Kind,
        target_id: str,
        values: Facts,
        cause: Cause | None = None,
        **link: str | None,
    ) -> Self:
        """As the target's facts of it say."""
        said = dict(zip(FIELDS[kind], values, strict=True))
        return cls(
            kind=kind,
            target_id=target_id,
            name=str(said[NAMED[kind]]),
            amount=_text(said["amount"]),
            currency=_text(said["currency"]),
            cause=cause,
            **link,
        )


@dataclass(frozen=True, slots=True)
class Selected:
    """How many of the source's budgets a plan carries, where its sync selects them.

    `unmatched` names each rule, or pattern of one, that matches no budget of the source.
    """

    budgets: int
    of: int
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedRate:
    """A rate by which a plan converts: one `currency` is `rate` of `into`.

    `dated` and `age_days` are None for a rate that the settings state without a day. `objects`
    counts what is converted at it.
    """

    currency: str
    into: str
    rate: str
    dated: date | None
    age_days: int | None
    rounding: str
    objects: int


SUMMARY: Final = ("create", "update", "retire", "delete", "unchanged", "conflict", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The checked changes of one sync, seen on one day.

    `lossy` counts the losses that need acceptance, over all objects: name → count, first reason.
    `kept` are linked objects that the source no longer has; those still in use, and the strangers
    in the target that nobody ever stated, are named one by one, the first thousand of each.
    `stranger_count` counts all strangers. `waits` is what a person is to decide, but for what is in
    `conflicts`, `guards` and `uncertain`. `renames` are hints at what may be known by another ref
    now, the first hundred. `uncertain` are those with a write of unknown outcome,
    `adopted` those recognised in the target without a link of this sync, and `handovers` those
    among them that pass from another sync to this one. `selected` says what the sync's selection
    came to, None where it has none; `rates` are those by which it converts. `bound_to` are the
    accounts and the settings that it was made for (`sync.binding`), `allowed` the guards that were
    switched off for it, or given another limit. `approval` is why somebody has to approve it first,
    None where nobody has.
    """

    plan_id: str
    sync: str
    source: str
    target: str
    as_of: date
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    handovers: tuple[Handover, ...] = ()
    guards: tuple[Trip, ...] = ()
    problems: tuple[Problem, ...] = ()
    lossy: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    unchanged: int = 0
    kept: int = 0
    adopted: int = 0
    uncertain: int = 0
    kept_objects: tuple[Unstated, ...] = ()
    strangers: tuple[Unstated, ...] = ()
    stranger_count: int = 0
    waits: tuple[Waiting, ...] = ()
    renames: tuple[Renamed, ...] = ()
    selected: Selected | None = None
    rates: tuple[UsedRate, ...] = ()
    bound_to: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    accepted: frozenset[str] = frozenset()
    approval: str | None = None

    @property
    def summary(self) -> dict[str, int]:
        """Counts by operation, with what is unchanged and what waits for a decision."""
        counts = dict.fromkeys(SUMMARY, 0)
        for change in self.changes:
            counts[change.op] += 1
        return counts | {"unchanged": self.unchanged, "conflict": len(self.conflicts)}

    @property
    def pending(self) -> tuple[Change, ...]:
        """The changes that can be made."""
        return tuple(change for change in self.changes if change.op is not Op.BLOCKED)

    @property
    def unaccepted(self) -> dict[str, tuple[int, str]]:
        """Losses that matter and that the sync's settings do not accept: name → count, reason."""
        return {name: said for name, said in self.lossy.items() if name not in self.accepted}

    def brief(self) -> dict[str, Any]:
        """What a report keeps of the plan: everything but its changes."""
        return {name: said for name, said in self.to_data().items() if name != "changes"}

    def to_data(self) -> dict[str, Any]:
        """The plan as JSON-ready data, in the shape that `plan --json` prints."""
        data: dict[str, Any] = _plans().dump_python(self, mode="json", exclude=_UNSAID)
        data["changes"] = [
            _change_data(said, change.title)
            for said, change in zip(data["changes"], self.changes, strict=True)
        ]
        data["renames"] = [_with_names(each, _FROM_TO) for each in data["renames"]]
        order = ("plan_id", "sync", "source", "target", "as_of")
        head = {name: data.pop(name) for name in order}
        return head | {"summary": self.summary} | data

    def save(self) -> str:
        """The plan as text that `Plan.load` reads back, with the digest of all the rest of it."""
        data = self.to_data()
        return json.dumps(data | {"digest": digest_of(data)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, text: str) -> Self:
        """The plan saved as `text`; raises `ValueError` where it is not one."""
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("a saved plan is a JSON object")
        return cls.of_data(data)

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> Self:
        """The plan that `to_data` made the data of, which are changed by it; raises `ValueError`
        where they are of none."""
        for said in ("summary", "digest"):
            data.pop(said, None)
        for change in data.get("changes", ()):
            fields = change.get("fields", {})
            change["fields"] = {
                name: (tuples(each["before"]), tuples(each["after"]))
                for name, each in fields.items()
            }
        if "renames" in data:
            back = {said: name for name, said in _FROM_TO.items()}
            data["renames"] = [_with_names(each, back) for each in data["renames"]]
        for each in data.get("waits", ()):
            each |= {name: tuples(each.get(name)) for name in _WAITING}
        return _plans().validate_python(data)  # type: ignore[return-value]


_WAITING: Final = ("source", "target", "agreed", "beside")
_FROM_TO: Final = {"old": "from", "new": "to"}
_UNSAID: Final[Any] = {
    "accepted": True,
    "changes": {"__all__": {"image"}},
    "conflicts": {"__all__": {"ways", "name"}},
    "problems": {"__all__": {"traces"}},
}


def _text(fact: Fact) -> str | None:
    return None if fact is None else str(fact)


def _change_data(change: dict[str, Any], title: str) -> dict[str, Any]:
    fields = change["fields"]
    change["name"] = title
    change["fields"] = {
        name: {"before": before, "after": after} for name, (before, after) in fields.items()
    }
    return change


def _with_names(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): said for name, said in data.items()}


@cache
def _plans() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)  # 60 ms: only where a plan is printed, saved or loaded

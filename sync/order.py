"""Order: the changes of a plan in groups that are sent one after the other.

First what lowers an amount or gives up a share, children before parents; then what creates or
raises one, parents before children; budgets are removed last. What lowers one month and raises
another is written by half with each, where its budget has no room for it before (`sync.course`). So
no sum of shares ever exceeds its budget on the way, nothing is made before what it hangs on, and
nothing is removed from under it.

Where no two objects may have one name, it is given up before it is taken. What is removed goes
early where another takes its name; and objects that pass their names on change them in between, in
a step that says nothing else: a name moves no money, and so may change whenever it is free.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from canonical.budget import Budget
from canonical.change import Change
from canonical.kind import Kind, Op
from connectors.contract.capabilities import Unique
from sync.course import Fit, Way, lowest, ways

_Rank: TypeAlias = tuple[int, int]
_LOWERS, _EARLY, _NAMES, _NAMES_WITHIN, _MAKES, _REMOVES = range(6)


@dataclass(eq=False, slots=True)
class Step:
    """A change or a part of it that is sent by itself: the `fields` that it writes.

    `via` is the temporary name that it gives, if it does. `waits_for` are steps without which it
    is not to be sent, `missing` what should have given up the name and is not among the changes.
    Of the steps of one change the `last` one is sent last.
    """

    change: Change
    fields: tuple[str, ...]
    via: str | None = None
    waits_for: tuple["Step", ...] = ()
    missing: str | None = None
    last: bool = True


def waves(
    changes: Iterable[Change],
    unique: Mapping[Kind, Unique] | None = None,
    fit: Fit = lambda model: model,
) -> list[list[Step]]:
    """The steps in groups to be sent one after the other; order within a group is free.

    `unique` are the kinds whose names are (`Capabilities.unique`), `fit` puts into the target's
    terms what is only lowered at first.
    """
    return _Order(list(changes), unique or {}, fit).waves()


class _Order:
    """The steps of the changes of one plan, by their rank."""

    def __init__(self, changes: Sequence[Change], unique: Mapping[Kind, Unique], fit: Fit) -> None:
        self._changes, self._unique, self._fit = changes, unique, fit
        self._ways = ways(changes)
        self._awaited = {key for each in changes for key in each.after}
        self._parents = {
            each.ref: each.desired.parent
            for each in changes
            if isinstance(each.desired, Budget) and each.desired.parent
        }
        self._around = {
            each.budget_ref
            for each in changes
            if each.kind is Kind.ALLOCATION and self._passes(each)
        }
        self._made = {each.ref for each in changes if each.op is Op.CREATE}
        self._ranked: dict[_Rank, list[Step]] = defaultdict(list)
        self._takes: dict[Any, Step] = {}
        self._gives: dict[Any, Step] = {}
        self._detours: dict[Any, Step] = {}

    def waves(self) -> list[list[Step]]:
        renames = [step for each in self._changes for step in self._parts(each)]
        for step in self._takes.values():
            self._let_wait(step)
        for kind, rank in ((Kind.BUDGET, _NAMES), (Kind.ALLOCATION, _NAMES_WITHIN)):
            self._put_in_layers(rank, [each for each in renames if each.change.kind is kind])
        return [self._ranked[rank] for rank in sorted(self._ranked)]

    def _parts(self, change: Change) -> list[Step]:
        """Its steps: those that only rename are returned, and have no rank yet."""
        named, renames = self._named(change), list[Step]()
        if change.via is not None and named:
            place = tuple(each for each in named if each == "budget")
            detour = Step(change, (named[0], *place), via=change.via, last=False)
            self._detours[change.key] = detour
            renames.append(detour)
        late = self._is_late(change)
        if named and not late:
            renames.append(Step(change, named))
        fields = tuple(each for each in change.fields if late or each not in named)
        if fields or not renames:
            self._lower_first(change)
            self._ranked[self._rank(change)].append(step := Step(change, fields))
            if renames:
                self._one_is_last(change, step, renames)
        whole = renames[-1] if named and not late else step
        if change.after or change.via:
            self._takes[change.key] = whole
        self._gives[change.key] = self._detours.get(change.key, whole)
        return renames

    def _lower_first(self, change: Change) -> None:
        """What goes both ways is lowered among what makes room, as far as it will be."""
        if self._way(change) is Way.BOTH:
            first = lowest(change, self._fit)
            below = self._rank(change)[1]
            step = Step(first, tuple(first.fields), last=False)
            self._ranked[_LOWERS, -below].append(step)

    def _way(self, change: Change) -> Way:
        """What moves elsewhere waits for where it moves to."""
        return Way.UP if moves(change) else self._ways.get(id(change), Way.UP)

    def _named(self, change: Change) -> tuple[str, ...]:
        """The fields that name it, where they are changed by a step of their own.

        A budget has its name before names pass on among its shares, which may go along with it.
        """
        unique = self._unique.get(change.kind)
        passes = self._passes(change) or change.ref in self._around
        if unique is None or not passes or change.op is not Op.UPDATE:
            return ()
        first = "name" if change.kind is Kind.BUDGET else "entity"
        said = {each for each in change.fields if each in unique.fields or each == "budget"}
        if change.via is not None:
            said.add(first)
        return tuple(sorted(said, key=lambda field: (field != first, field)))

    def _passes(self, change: Change) -> bool:
        """Whether it takes a name that another gives up, or gives up one that another takes."""
        return bool(change.after or change.via) or change.key in self._awaited

    def _is_late(self, change: Change) -> bool:
        """Whether a share has to wait for the budget that it moves to."""
        return "budget" in change.fields and change.budget_ref in self._made

    def _one_is_last(self, change: Change, step: Step, renames: Sequence[Step]) -> None:
        """The renaming comes after what lowers an amount, and before all other writing."""
        before = self._rank(change)[0] == _LOWERS
        step.last = not before
        if not before:
            for each in renames:
                each.last = False

    def _let_wait(self, step: Step) -> None:
        gone = [ref for *_, ref in (k for k in step.change.after if k not in self._gives)]
        step.missing = gone[0] if gone else None
        detour = self._detours.get(step.change.key)
        given = [self._gives[key] for key in step.change.after if key in self._gives]
        step.waits_for = tuple(given if detour is None else [detour, *given])

    def _put_in_layers(self, rank: int, renames: Sequence[Step]) -> None:
        """Each after those that it waits for; what waits for itself comes last, and fails."""
        among = set(renames)
        left = {each: sum(one in among for one in each.waits_for) for each in renames}
        behind = defaultdict[Step, list[Step]](list)
        for each in renames:
            for one in each.waits_for:
                behind[one].append(each)
        layer, number = [each for each in renames if not left[each]], 0
        while layer:
            self._ranked[rank, number] = layer
            for each in layer:
                del left[each]
            following = []
            for each in (later for one in layer for later in behind[one] if later in left):
                left[each] -= 1
                if not left[each]:
                    following.append(each)
            layer, number = following, number + 1
        if left:
            self._ranked[rank, number] = list(left)

    def _rank(self, change: Change) -> _Rank:
        budgets = change.kind is Kind.BUDGET
        below = depth(change.ref, self._parents) if budgets else len(self._parents) + 1
        removed = change.op in (Op.RETIRE, Op.DELETE)
        if removed and change.kind is Kind.BUDGET:
            return (_EARLY if change.key in self._awaited else _REMOVES), -below
        if removed or self._way(change) is Way.DOWN:
            return _LOWERS, -below
        return _MAKES, below


def depth(ref: str, parents: Mapping[str, str]) -> int:
    """How many budgets are above that one; where they go round, as many as `parents` has."""
    steps = 0
    while ref in parents and steps < len(parents):
        ref, steps = parents[ref], steps + 1
    return steps


def moves(change: Change) -> bool:
    """Whether the object is to hang on another one than it does."""
    return not {"parent", "budget"}.isdisjoint(change.fields)

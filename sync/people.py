"""People: whom the source names and the target does not know, and who they may be there.

A row is proposed where exactly one of theirs is like one of ours (`sync.likeness`), and where that
one is nobody else of ours already: no reading could tell two of ours apart.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from canonical.allocation import Allocation, Entity, Status
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.problem import Problem
from connectors.contract.capabilities import Capabilities, Hold
from connectors.contract.errors import Forbidden, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Listed
from sync.intake.selection import Selection
from sync.likeness import By, Register

_AT_ONCE: Final = 500
_NOT_NAMED: Final = (None, Hold.DROPPED, Hold.READ_ONLY, Hold.FOLLOWS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An entity of the source that the target does not know, and who it may be.

    `where` is one of the `count` objects that name it. `found` are those who are like it, `by`
    what; `against` is why the only one of them cannot be meant.
    """

    entity: Entity
    reason: str
    where: str
    count: int
    found: tuple[Listed, ...] = ()
    by: By | None = None
    against: str | None = None

    @property
    def proposal(self) -> Listed | None:
        """Who it is, where nothing speaks against it."""
        return self.found[0] if len(self.found) == 1 and self.against is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What a sync's target knows of those whom its source names.

    `named` counts those that the target can be told of. `unasked` says by type why the target could
    not be asked whom it has; `unheld` counts, by type, those that it has no place for.
    """

    sync: str
    target: str
    named: int
    unknown: tuple[Unknown, ...]
    unasked: Mapping[str, str] = field(default_factory=dict)
    unheld: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def people(
    sync: str,
    source: Connector,
    target: Connector,
    rows: Mapping[str, str],
    select: Selection | None = None,
) -> People:
    """Read the source and ask the target; writes nothing. `rows` are the entities' that there are.

    Only what the sync carries by `select` counts; of what it leaves out, who they are already.
    Raises the errors of `connectors.contract.errors`.
    """
    problems: list[Problem] = []
    named = _named(source, target.capabilities, problems, select or Selection())
    types = target.capabilities.entity_types
    held = {each: where for each, where in named.items() if types is None or each.type in types}
    unheld = Counter(each.type for each, where in named.items() if where and each not in held)
    reasons, taken = _asked(target, sorted(held), rows)
    registers, unasked = _registers(target, {each.type for each in reasons})
    nobody = Register(())
    unknown = []
    for entity in sorted(each for each in reasons if held[each]):
        register = nobody if str(entity) in rows else registers.get(entity.type, nobody)
        by, found = register.like(entity.id)
        where = held[entity]
        unknown.append(
            Unknown(
                entity=entity,
                reason=reasons[entity],
                where=where[0],
                count=len(where),
                found=found,
                by=by,
            )
        )
    return People(
        sync=sync,
        target=target.name,
        named=sum(1 for where in held.values() if where),
        unknown=tuple(_apart(unknown, taken)),
        unasked=unasked,
        unheld=dict(sorted(unheld.items())),
        problems=tuple(dict.fromkeys(problems)),
    )


def _named(
    source: Connector, able: Capabilities, problems: list[Problem], select: Selection
) -> Mapping[Entity, Sequence[str]]:
    """Whom the source's budgets and allocations in use name, each with the selected budgets that
    do; none where only others do."""
    found: dict[Entity, list[str]] = defaultdict(list)
    owned = able.budget.get("owners") not in _NOT_NAMED
    shared = able.allocation.get("entity") is not None
    left = set[str]()
    for model in _in_use(source, problems):
        if isinstance(model, Budget):
            ref = model.ref
            named = [Entity("user", each) for each in model.owners or ()] if owned else []
            if not select.holds(model):
                left.add(ref)
        else:
            ref, named = model.budget, [*_each(model.entity)] if shared else []
        for entity in named:
            found[entity] += () if ref in left else (ref,)
    return found


def _in_use(source: Connector, problems: list[Problem]) -> Iterator[Budget | Allocation]:
    """The source's budgets that are not retired, then their allocations."""
    retired = set[str]()
    for kind in Kind:
        for page in source.list(kind):
            problems += page.problems
            for item in page.items:
                model = item.model
                ref = model.ref if isinstance(model, Budget) else model.budget
                if model.status is Status.RETIRED and isinstance(model, Budget):
                    retired.add(ref)
                elif model.status is not Status.RETIRED and ref not in retired:
                    yield model


def _each(entity: Entity) -> Iterable[Entity]:
    """The users of a share that several have, with commas between them."""
    if entity.type != "user":
        return (entity,)
    return (Entity(entity.type, id) for id in entity.id.split(",") if id)


def _asked(
    target: Connector, entities: Sequence[Entity], rows: Mapping[str, str]
) -> tuple[dict[Entity, str], dict[tuple[str, str], Entity]]:
    """Why entities are unknown; and whose of ours they are already whom the target knows, by type
    and id or e-mail, in small letters."""
    reasons: dict[Entity, str] = {}
    taken: dict[tuple[str, str], Entity] = {}
    for said, theirs in rows.items():
        type, _, id = said.partition(":")
        taken[type, theirs.casefold()] = Entity(type, id)
    for first in range(0, len(entities), _AT_ONCE):
        some = entities[first : first + _AT_ONCE]
        found = target.resolve(some)
        reasons |= {**found.doubtful, **found.unknown}
        for entity in some:
            if entity not in reasons:
                there = found.there.get(entity, entity)
                taken.setdefault((there.type, there.id.casefold()), entity)
    return reasons, taken


def _registers(
    target: Connector, types: Collection[str]
) -> tuple[dict[str, Register], dict[str, str]]:
    """Whom the target has, by our type; and why it could not be asked, by type too."""
    found: dict[str, Register] = {}
    unasked: dict[str, str] = {}
    for type in sorted(types):
        try:
            found[type] = Register(target.directory(type))
        except (Unsupported, Forbidden) as error:
            unasked[type] = str(error)
    return found, unasked


def _apart(
    unknown: Sequence[Unknown], taken: Mapping[tuple[str, str], Entity]
) -> Iterator[Unknown]:
    """With what speaks against proposals that would make one of theirs two of ours."""
    wanted: dict[tuple[str, str], list[Entity]] = defaultdict(list)
    for each in unknown:
        if (who := each.proposal) is not None:
            wanted[each.entity.type, who.id].append(each.entity)
    for each in unknown:
        who, type = each.proposal, each.entity.type
        if who is None:
            yield each
            continue
        had = [taken.get((type, (said or "").casefold())) for said in (who.id, who.email)]
        others = dict.fromkeys(other for other in (*had, *wanted[type, who.id]) if other)
        said = ", ".join(str(other) for other in others if other != each.entity)
        yield replace(each, against=f"{who.id} is {said} as well") if said else each

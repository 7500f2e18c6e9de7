"""Decide: the change that one object needs. The whole policy, as pure functions.

in the source   in the target      decision
-------------   ----------------   ----------------------------------------------------------
stated          absent             create, unless it cannot be held (blocked)
stated retired  absent             nothing: there is nothing to retire
stated          there, the same    nothing
stated          there, differs     update the fields that differ
stated retired  there, active      retire
stated          there, retired     blocked, unless the target can revive
absent          there, linked      keep, retire or delete, as the sync's `on_remove` says
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from msgspec import Struct, structs

from canonical.allocation import Allocation, Status
from canonical.budget import Budget
from canonical.change import Change
from canonical.compare import Cause, Difference
from canonical.facts import TAKEN_BACK_BY_NONE, Fact, Facts, facts, fields_of, fingerprint
from canonical.kind import FIELDS, Kind, Op
from canonical.loss import Effect, Loss
from canonical.money import Move
from canonical.rate import Converted
from canonical.records import as_dataclass
from connectors.contract.capabilities import Capabilities, Hold, Removal
from connectors.contract.records import Observed
from sync.match import Key
from sync.spec import OnRemove

Losses = tuple[Loss, ...]


@as_dataclass
class Wanted(Struct, frozen=True, gc=False):
    """One object of the source: as stated, as projected, and what the projection lost.

    `beyond` is the money that is stated, where the projection says less of it. `stated` is in the
    target's currency, `converted` how it came to be. `reckoned` is false
    of what no calendar or arithmetic can hold: it is as stated, and blocked. `item` is the
    source's own record, where something may be taken back into it.
    """

    kind: Kind
    key: Key
    stated: Budget | Allocation
    model: Budget | Allocation
    losses: Losses
    facts: Facts
    beyond: Facts | None = None
    reckoned: bool = True
    converted: Converted | None = None
    item: Observed | None = None

    @property
    def all_facts(self) -> Facts:
        """What the fingerprint of an agreement stands for: `Baseline.all_facts`."""
        return self.facts if self.beyond is None else (*self.facts, self.beyond)

    @property
    def rates(self) -> str | None:
        """What is remembered of the conversion."""
        return None if self.converted is None else self.converted.text()

    @property
    def shown(self) -> Facts:
        """What the source itself shows: in its own currency, where it is converted."""
        own = None if self.converted is None else self.converted.own
        return facts(self.stated) if own is None else own

    @property
    def statement(self) -> bytes:
        """The fingerprint of what is stated."""
        whole = self.stated is self.model
        return fingerprint(self.facts if whole else facts(self.stated))


_SHAPE: Final = frozenset(
    {"entity", "amount", "currency", "limits", "cadence", "start", "end", "phases"}
)
"""Fields that say for whom how much counts when: where one cannot be held, none of the object is
written, as the others would be said in terms of what is there, not of what is wanted."""


def joined(losses: Losses, more: Sequence[Loss]) -> Losses:
    """Both, each named loss once: the first to say so has said it."""
    if not more:
        return losses
    said = {loss.name for loss in losses}
    return (*losses, *(loss for loss in more if loss.name not in said))


def held(holds: Mapping[str, Hold]) -> frozenset[str]:
    """The fields that a target can be told, and that are therefore compared."""
    silent = {Hold.DROPPED, Hold.READ_ONLY, Hold.FOLLOWS}
    return frozenset(name for name, hold in holds.items() if hold not in silent)


def covers_all(able: Capabilities) -> bool:
    """Whether a version shows all that is compared, so that while it stays nothing has moved."""
    holds = {Kind.BUDGET: able.budget, Kind.ALLOCATION: able.allocation}
    return all(held(holds[kind]) <= able.version_covers.get(kind, frozenset()) for kind in Kind)


def is_out_of_use(status: object, able: Capabilities, policy: OnRemove) -> bool:
    """Whether an object of that status needs no removal: it is retired, or all that this is."""
    as_good_as = able.retires_to if policy is OnRemove.RETIRE else Status.RETIRED
    return status in (Status.RETIRED, as_good_as)


def making(losses: Losses) -> Op:
    """To make an object; blocked where a loss says that it cannot be held."""
    impossible = losses and any(loss.effect is Effect.BLOCKED for loss in losses)
    return Op.BLOCKED if impossible else Op.CREATE


def creation(
    wanted: Wanted,
    fields: frozenset[str],
    losses: Losses,
    money: tuple[Move, ...] = (),
    stated: str | None = None,
) -> Change:
    """Make the object, as `making` says; `money` and `stated` are as in `Change`."""
    names = fields_of(wanted.model)
    told: dict[str, tuple[Fact, Fact]] = {
        name: (None, value)
        for name, value in zip(names, wanted.facts, strict=True)
        if value is not None and name in fields and name != "budget"  # the change names it
    }
    return _change(wanted, making(losses), told, losses, stated=stated, money=money)


def alteration(
    wanted: Wanted,
    target_id: str,
    observed: Facts,
    found: Sequence[Difference],
    able: Capabilities,
    *,
    matched: str | None = None,
    by_calendar: bool = False,
    anew: str = "",
) -> Change:
    """Bring the fields in `found` to what is wanted; what cannot be said is listed as blocked.

    `anew` is the command that lets another object be made for one that was retired for good.
    """
    moves = {each.field: each for each in found}
    op, losses = Op.UPDATE, list(wanted.losses)
    unfit = {loss.field for loss in losses if loss.effect is Effect.BLOCKED}
    status = moves.get("status")
    if status is not None and status.after == Status.RETIRED:
        op, moves = Op.RETIRE, {"status": status}
    elif status is not None and status.before == Status.RETIRED and wanted.kind not in able.revives:
        moves = {}
        reason = f"it was retired in {able.vendor}, which cannot revive"
        reason += f"; to make another one: {anew}" if anew else ""
        losses.append(Loss("status", Effect.BLOCKED, reason))
    elif not unfit.isdisjoint(_SHAPE):
        moves = {}
    else:
        for each in [each for each in moves.values() if _cannot_empty(each, able)]:
            del moves[each.field]
            reason = f"{able.vendor} cannot empty it again"
            losses.append(Loss(each.field, Effect.BLOCKED, reason))
            wanted = replace(wanted, model=_still(wanted.model, each))
    if "budget" in moves and "budget" not in held(able.allocation):
        del moves["budget"]
        reason = f"it is below another budget there, and {able.vendor} cannot move it"
        losses.append(Loss("budget", Effect.BLOCKED, reason))
    if "name" in unfit and "name" in moves:  # it keeps the one that it has, and is told again
        was = str(moves["name"].before)
        wanted = replace(wanted, model=structs.replace(wanted.model, name=was))
    moves = {name: each for name, each in moves.items() if name not in unfit}
    if "owners" in unfit:  # what is not written is not remembered as agreed
        wanted = replace(wanted, model=structs.replace(wanted.model, owners=None))
    causes = {each.cause for each in moves.values()} or {Cause.SOURCE}
    drifted = causes == {Cause.DRIFT} or (by_calendar and Cause.DRIFT in causes)
    cause = Cause.DRIFT if drifted else Cause.SOURCE
    return _change(
        wanted,
        op if moves else Op.BLOCKED,
        {name: (each.before, each.after) for name, each in moves.items()},
        tuple(losses),
        target_id=target_id,
        cause=Cause.CALENDAR if by_calendar and cause is Cause.SOURCE else cause,
        matched=matched,
        seen=fingerprint(observed).hex(),
    )


def _cannot_empty(each: Difference, able: Capabilities) -> bool:
    emptied = each.after is None and each.field in TAKEN_BACK_BY_NONE | {"end"}
    return emptied and each.field not in able.clearable


def _still(model: Budget | Allocation, each: Difference) -> Budget | Allocation:
    """What is wanted, with what stays in the target: so that it is remembered, and told again."""
    if each.field not in ("description", "parent", "owners"):
        return model
    return structs.replace(model, **{each.field: each.before})


def removal(
    kind: Kind, key: Key, target_id: str, observed: Facts, policy: OnRemove, able: Capabilities
) -> Change:
    """Take out of the target what the source no longer has; `policy` is not `keep`."""
    budget_ref, ref = key
    deletes = able.removal in (Removal.DELETE, Removal.RETIRE_OR_DELETE)
    losses: Losses = ()
    op = Op.DELETE if policy is OnRemove.DELETE else Op.RETIRE
    if able.removal is Removal.NONE:
        op = Op.BLOCKED
        losses = (Loss("status", Effect.BLOCKED, f"{able.vendor} cannot remove anything"),)
    elif op is Op.RETIRE and able.removal is Removal.DELETE:
        op = Op.BLOCKED
        hint = 'on_remove = "delete" would remove it, and its history, for good'
        losses = (Loss("status", Effect.BLOCKED, f"{able.vendor} cannot retire; {hint}"),)
    elif op is Op.DELETE and not deletes:
        op = Op.RETIRE
        losses = (Loss("status", Effect.EMULATED, f"{able.vendor} only retires"),)
    elif op is Op.DELETE:
        losses = (Loss("status", Effect.EMULATED, f"its history in {able.vendor} is lost"),)
    after = able.retires_to if op is Op.RETIRE else Status.RETIRED
    return Change(
        op=op,
        kind=kind,
        ref=ref,
        budget_ref=budget_ref or None,
        target_id=target_id,
        fields={"status": (Status.ACTIVE.value, after.value)},
        losses=losses,
        seen=fingerprint(observed).hex(),
        name=_name(kind, observed),
    )


def _name(kind: Kind, observed: Facts) -> str | None:
    name = observed[FIELDS[kind].index("name" if kind is Kind.BUDGET else "entity")]
    return None if name is None else str(name)


def _change(
    wanted: Wanted,
    op: Op,
    fields: dict[str, tuple[Fact, Fact]],
    losses: Losses,
    target_id: str | None = None,
    cause: Cause = Cause.SOURCE,
    matched: str | None = None,
    seen: str | None = None,
    stated: str | None = None,
    money: tuple[Move, ...] = (),
) -> Change:
    budget_ref, ref = wanted.key
    return Change(
        op=op,
        kind=wanted.kind,
        ref=ref,
        budget_ref=budget_ref or None,
        target_id=target_id,
        fields=fields,
        losses=losses,
        cause=cause,
        matched=matched,
        desired=wanted.model,
        seen=seen,
        stated=stated,
        money=money,
    )

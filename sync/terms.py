"""Terms: what a target makes of a share, whatever its amounts and whoever it is for.

Thousands of shares have the same status, time and strictness: what becomes of that is found once.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, NamedTuple, TypeAlias

from canonical.allocation import Allocation, Enforcement
from canonical.loss import Effect, Loss
from canonical.period import Cadence
from connectors.contract.capabilities import Capabilities, Hold

Losses: TypeAlias = tuple[Loss, ...]
IsFar: TypeAlias = Callable[[Cadence | None, date | None, date | None], bool]
_FOLLOWING: Final = ("cadence", "start", "end", "enforcement", "carry_over", "alerts")


class Terms(NamedTuple):
    """What is lost of the entity, and whether it is `as_text` only; the fields that are told
    otherwise than they are stated; and what is lost of those."""

    of_entity: Losses
    as_text: bool
    changed: Mapping[str, Any]
    losses: Losses


class ShareTerms:
    """The terms of the shares of one plan; `is_far` says which end is as good as open."""

    def __init__(self, able: Capabilities, is_far: IsFar) -> None:
        self._able, self._is_far = able, is_far
        holds = {field: able.allocation.get(field, Hold.DROPPED) for field in _FOLLOWING}
        self._unsaid = [
            (field, hold is Hold.DROPPED)
            for field, hold in holds.items()
            if hold in (Hold.DROPPED, Hold.FOLLOWS)
        ]
        self._found: dict[object, Terms] = {}

    def of(self, share: Allocation) -> Terms:
        """Those of a share that is filled from its budget."""
        said = (
            share.entity.type,
            share.status,
            share.cadence,
            share.start,
            share.end,
            share.enforcement,
            share.carry_over,
            share.alerts,
        )
        terms = self._found.get(said)
        if terms is None:
            terms = self._found[said] = self._terms(share)
        return terms

    def _terms(self, share: Allocation) -> Terms:
        able, changed, losses = self._able, dict[str, Any](), list[Loss]()
        if share.status not in able.statuses:
            losses.append(blocked(able, "status", f"has no {share.status} allocations"))
        for field, is_dropped in self._unsaid:
            stated = getattr(share, field)
            if stated is None:
                continue
            changed[field] = None
            if is_dropped and stated and stated is not Enforcement.TRACK:
                losses.append(dropped(able, field))
        ends = able.allocation.get("end") is not None
        if ends and self._is_far(share.cadence, share.start, share.end):
            changed["end"] = None
        told = able.allocation.get("enforcement") not in (None, Hold.DROPPED, Hold.FOLLOWS)
        if told:
            enforce(able, share.enforcement, changed, losses)
        of_entity = _of_entity(able, share.entity.type)
        as_text = any(each.effect is Effect.EMULATED for each in of_entity)
        return Terms(of_entity, as_text, changed, tuple(losses))


def enforce(
    able: Capabilities, stated: Enforcement | None, changed: dict[str, Any], losses: list[Loss]
) -> None:
    """Where the target is told how strict to be, but not so: soft stands in for track."""
    if stated is None or stated in able.enforcements:
        return
    changed["enforcement"] = None
    if stated is Enforcement.TRACK and Enforcement.SOFT in able.enforcements:
        changed["enforcement"] = Enforcement.SOFT
        reason = f"{able.vendor} cannot merely track; it warns"
        losses.append(Loss("enforcement", Effect.EMULATED, reason))
    else:
        losses.append(dropped(able, "enforcement"))


def _of_entity(able: Capabilities, entity_type: str) -> Losses:
    """What is lost of an entity of that type."""
    if wrong := _wrong_type(able, entity_type):
        return (blocked(able, "entity", wrong),)
    native = able.native_entity_types
    is_native = native is None or entity_type in native
    if is_native or able.allocation.get("entity") is not Hold.EMULATED:
        return ()
    reason = f"{able.vendor} knows no {entity_type}; it is kept as text"
    return (Loss("entity", Effect.EMULATED, reason),)


def _wrong_type(able: Capabilities, entity_type: str) -> str | None:
    """Why the target has no such allocations; a type it knows has only one spelling."""
    types, native = able.entity_types, able.native_entity_types
    known = {*(types or ()), *(native or ())}
    said = f"has no allocations of type {entity_type}"
    if entity_type not in known and entity_type.casefold() in known:
        return f"{said}; write {entity_type.casefold()}"
    return said if types is not None and entity_type not in types else None


def dropped(able: Capabilities, field: str) -> Loss:
    """A field that the target has not."""
    return Loss(field, Effect.DROPPED, f"{able.vendor} has no place for it")


def blocked(able: Capabilities, field: str, reason: str) -> Loss:
    """What the target cannot hold, so that the object is not written."""
    return Loss(field, Effect.BLOCKED, f"{able.vendor} {reason}")

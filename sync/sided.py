"""Sided: what is written of an object whose other fields stay as the target has them."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from canonical.facts import Fact, Facts, facts
from canonical.image import NotWhole, model_from, with_fields_of
from canonical.kind import FIELDS
from canonical.loss import Effect, Loss
from sync.decide import Wanted, joined
from sync.merge import Merged
from sync.unread import TOGETHER


def patched(wanted: Wanted, values: Mapping[str, Fact]) -> Wanted:
    """What is wanted, but with those facts: what a vendor is sent is whole, and would else put
    back what is to stay. Blocked where no object can have them all."""
    if not values:
        return wanted
    names = FIELDS[wanted.kind]
    said = dict(zip(names, wanted.facts, strict=True)) | dict(values)
    try:
        made = model_from(wanted.kind, wanted.key[1], wanted.key[0], said)
    except NotWhole as error:
        reason = f"it cannot be written beside what the target has: {error}"
        loss = Loss(next(iter(values)), Effect.BLOCKED, reason)
        return replace(wanted, losses=joined(wanted.losses, [loss]))
    model = with_fields_of(wanted.model, made, values)
    return replace(wanted, model=model, facts=facts(model))


def staying(wanted: Wanted, observed: Facts, merged: Merged, held: Collection[str]) -> set[str]:
    """The fields that are not as wanted and are not written."""
    written = {each.field for each in merged.write}
    both = zip(FIELDS[wanted.kind], wanted.facts, observed, strict=True)
    return {
        name
        for name, desired, shown in both
        if name in held and name not in written and desired != shown
    }


def without(merged: Merged, blocked: Collection[str]) -> Merged:
    """The same, but that of a value for both sides which one cannot be told the other is told
    nothing either: it stays open, and so does what says with it how much counts when."""
    half = merged.both.keys() & blocked
    if not half:
        return merged
    if not TOGETHER.isdisjoint(half):
        half |= TOGETHER & {each.field for each in merged.write}
    return replace(
        merged,
        write=[each for each in merged.write if each.field not in half],
        both={name: value for name, value in merged.both.items() if name not in half},
        open=merged.open | half,
    )

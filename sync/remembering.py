"""What is agreed after a write, where the source does not own every field.

Of a field that was not sent, or of which a decision is still open, nothing new is agreed: it stays
as it was when both sides last agreed, so that who has moved it since is seen by the next plan.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from canonical.compare import Baseline
from canonical.facts import Fact, Facts
from canonical.kind import FIELDS, Kind, unsaid, where
from sync.state.ledger import Link
from sync.unread import TOGETHER, with_mark_of, without_mark

UNWRITTEN: Facts = ()
"""What the source showed, where the target was not told the whole of it yet."""


def shown_before(kind: Kind, baseline: Baseline, same: bool, now: Facts) -> Facts:
    """What the source showed when both last agreed.

    Where that was not remembered: what it shows `now`, if it states the `same`; else nothing, so
    that all of it counts as moved.
    """
    if baseline.shown is not None:
        return baseline.shown
    return now if same else unsaid(kind)


def agreed_after(
    kind: Kind,
    before: Baseline | None,
    written: Baseline,
    sent: Collection[str],
    *,
    stands: Mapping[str, Fact],
    open: Collection[str],
    void: Collection[str] = (),
) -> Baseline:
    """What both sides agree on after `written`, of which the fields `sent` were sent.

    `stands` are values of the source that stay although the target has another one, with
    everybody's consent; `open` are fields that are not agreed, whatever was sent of them. Of those
    that are `void` nothing was ever agreed from now on.
    """
    names = FIELDS[kind]
    old = before or Baseline(unsaid(kind), unsaid(kind))
    fresh = {
        name for name in names if name not in open and (before is None or name in {*sent, *stands})
    }
    desired = tuple(
        stands.get(name, new)
        for name, new in zip(names, where(kind, fresh, written.desired, old.desired), strict=True)
    )
    echo = where(kind, fresh, written.echo, old.echo)
    money = written if before is None or TOGETHER.isdisjoint(open) else before
    before_shown = old.shown and without_mark(kind, old.shown)
    shown = _shown(kind, fresh, open, written.shown, before_shown)
    agreed = nothing_agreed_of(
        void, kind, Baseline(desired, echo, money.stated, money.rates, shown)
    )
    marked = agreed.shown and with_mark_of(kind, agreed.shown, old.shown, {*fresh, *void})
    return replace(agreed, shown=marked)


def agreed_statement(open: Collection[str], link: Link | None, now: bytes) -> bytes:
    """The fingerprint of what the source stated as both sides last agreed about money: what waits
    has yet to be weighed by the guards."""
    return now if link is None or TOGETHER.isdisjoint(open) else link.source


def nothing_agreed_of(void: Collection[str], kind: Kind, baseline: Baseline) -> Baseline:
    """The same, as if of those fields nothing had ever been agreed: both sides have moved them."""
    if not void:
        return baseline
    rest = [name for name in FIELDS[kind] if name not in void]
    none = unsaid(kind)
    shown = baseline.shown and without_mark(kind, baseline.shown)
    shown = shown and where(kind, rest, shown, none)
    desired, echo = (where(kind, rest, said, none) for said in (baseline.desired, baseline.echo))
    return replace(baseline, desired=desired, echo=echo, shown=shown)


def _shown(
    kind: Kind,
    fresh: Collection[str],
    open: Collection[str],
    new: Facts | None,
    old: Facts | None,
) -> Facts | None:
    """Money that was sent may come of any of the fields that say when how much counts."""
    if not new:
        return new
    all_money = not TOGETHER.isdisjoint(fresh) and TOGETHER.isdisjoint(open)
    told = {*fresh, *(TOGETHER if all_money else ())}
    if not all_money:
        told -= TOGETHER
    return where(kind, told, new, old or unsaid(kind))

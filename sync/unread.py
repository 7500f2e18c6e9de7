"""Unread: what a source answered when it was written to, until it is read again.

A source may round, trim or reorder what it is told; what it shows then is its own spelling of what
both sides agreed, and no edit. Whether it still shows that, and what the target would be told of
it, is known when it is read next: till then a mark behind the facts that were `shown` names the
fields that were sent, each with the fingerprint of what was answered.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, cast

from canonical.compare import Baseline
from canonical.facts import Fact, Facts, fingerprint
from canonical.kind import FIELDS, Kind, where

TOGETHER: Final = frozenset({"amount", "currency", "limits", "cadence", "start", "end", "phases"})
"""Fields that say how much counts when: of an object they come from one side, all of them."""
_WHOLE: Final = ""


def marked(kind: Kind, shown: Facts, sent: Collection[str], answered: Facts) -> Facts:
    """`shown`, with the mark that of the fields `sent` the source answered those of `answered`."""
    said = dict(zip(FIELDS[kind], answered, strict=True))
    names = with_money(sent, said) & said.keys()
    mark = {name: fingerprint((said[name],)).hex() for name in sorted(names)}
    whole = {_WHOLE: fingerprint(answered).hex()}
    return (*shown[: len(said)], tuple((_mark(shown, kind) | mark | whole).items()))


def without_mark(kind: Kind, shown: Facts) -> Facts:
    """The facts that were shown, alone."""
    return shown[: len(FIELDS[kind])]


def with_mark_of(
    kind: Kind, shown: Facts, marked: Facts | None, without: Collection[str] = ()
) -> Facts:
    """Other facts with the same mark, where there is one, but for the fields `without`."""
    mark = {name: said for name, said in _mark(marked or (), kind).items() if name not in without}
    return (*shown, tuple(mark.items())) if {*mark} - {_WHOLE} else shown


def as_read(
    kind: Kind,
    agreed: Baseline,
    *,
    stated: Facts,
    wanted: Facts,
    money: Facts | None,
    record: Facts,
    converted: bytes | None,
) -> Baseline:
    """What both sides agreed, now that the source is read: its record's own facts are `record`.

    Of the fields that it shows as it answered then, what it states, and what is wanted, is agreed.
    `money` is what it states beyond that. Where it is `converted`, what tells is the fingerprint of
    what the source states itself.
    """
    mark = _mark(agreed.shown or (), kind)
    if not mark or agreed.shown is None:
        return agreed
    now = dict(zip(FIELDS[kind], record, strict=True))
    if converted is not None:
        same = {*mark} - {_WHOLE} if converted.hex() == mark[_WHOLE] else set[str]()
    else:
        same = {name for name in mark if name and fingerprint((now[name],)).hex() == mark[name]}
    moved = {*mark} - same - {_WHOLE}
    counting = {name for name, said in now.items() if name in TOGETHER and said is not None}
    moved |= counting - mark.keys()  # remembered since, or new: no spelling of the answer
    if not moved.isdisjoint(TOGETHER):
        same -= TOGETHER
    counted = not same.isdisjoint(TOGETHER)
    return replace(
        agreed,
        desired=where(kind, with_money(same, {}), wanted, agreed.desired),
        shown=where(kind, same, stated, without_mark(kind, agreed.shown)),
        stated=money if counted else agreed.stated,
    )


def with_money(names: Collection[str], said: Mapping[str, Fact]) -> set[str]:
    """The fields with all that say how much counts when, where one of them does; but for those of
    which `said` says nothing."""
    if TOGETHER.isdisjoint(names):
        return {*names}
    return {*names, *(name for name in TOGETHER if said.get(name, True) is not None)}


def _mark(shown: Facts, kind: Kind) -> dict[str, str]:
    more = shown[len(FIELDS[kind]) :]
    return dict(cast("tuple[tuple[str, str], ...]", more[0])) if more else {}

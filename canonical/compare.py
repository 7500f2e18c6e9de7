"""Comparison of one object on two sides, field by field, with what both last agreed.

    desired   what should be, as far as the target can hold it
    observed  what is there now
    baseline  what was desired, and what the target answered, when they last agreed

A difference that the target made when it stored what we sent, and that nobody touched since, is
*normalization*: same meaning, other spelling, no change. Money is excepted: an amount, a period
or a limit that reads back differently is never taken for agreement.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from canonical.facts import MONEY_FIELDS, SAID_BY_NONE, TAKEN_BACK_BY_NONE, Fact, Facts


class Cause(StrEnum):
    """Why a field differs: the `source` changed it, the target did (`drift`), the `calendar` moved
    on to another phase of the same budget, the object left the `selection` of its sync, the
    `rate` moved at which it is converted, or a person takes back what a run did (`undo`)."""

    SOURCE = "source"
    DRIFT = "drift"
    CALENDAR = "calendar"
    SELECTION = "selection"
    RATE = "rate"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What both sides last agreed: the facts we wanted and the facts the vendor returned.

    `stated` is the money that the source stated (`canonical.money`), where `desired` is less;
    `rates` tell how that was converted (`canonical.rate.Converted`), where it was. `shown` are the
    source's own facts, where the source does not own every field; it is empty where the target was
    not told the whole yet, and None where nobody needed it.
    """

    desired: Facts
    echo: Facts
    stated: Facts | None = None
    rates: str | None = None
    shown: Facts | None = None

    @property
    def all_facts(self) -> Facts:
        """What a later statement is compared with: what was wanted, and the money beyond it."""
        return self.desired if self.stated is None else (*self.desired, self.stated)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that should become `after`; `cause` tells who moved it."""

    field: str
    before: Fact
    after: Fact
    cause: Cause


def differences(
    names: Sequence[str],
    held: Collection[str],
    desired: Facts,
    observed: Facts,
    baseline: Baseline | None = None,
) -> list[Difference]:
    """The fields of `held` in which `observed` is not what is `desired`.

    Not listed: fields the desired side does not speak about, and normalization. What was stated
    and is stated no more is a change to none, unless the other side has moved it meanwhile: then
    it is theirs.
    """
    found = []
    for index, name in enumerate(names):
        after, before = desired[index], observed[index]
        if after == before or name not in held:
            continue
        if after is None and not _says_none(name, index, before, baseline):
            continue
        cause = Cause.SOURCE
        if baseline is not None:
            wanted_before, echo = baseline.desired[index], baseline.echo[index]
            if before != echo:
                cause = Cause.DRIFT
            elif after == wanted_before and name not in MONEY_FIELDS:
                continue  # stored in the vendor's own spelling, and untouched since
            elif after == wanted_before:
                cause = Cause.DRIFT
        found.append(Difference(name, before, after, cause))
    return found


def _says_none(name: str, index: int, before: Fact, baseline: Baseline | None) -> bool:
    """Whether None is a statement: always, or where it takes back what nobody has moved since."""
    if name in SAID_BY_NONE:
        return True
    if name not in TAKEN_BACK_BY_NONE or baseline is None:
        return False
    return baseline.desired[index] is not None and before == baseline.echo[index]

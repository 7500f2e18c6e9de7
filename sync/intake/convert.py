"""Convert: amounts of other currencies, for a target that holds one.

Done to what the source states, before it is projected: all that follows, comparison, guards and
what is remembered, is in the target's currency. One rate a currency counts for a whole run. What
has no rate stays as it is stated and is blocked.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

from msgspec import structs

from canonical.allocation import Alert, Allocation, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.change import UsedRate
from canonical.currency import COUNTS, exponent
from canonical.facts import facts, fingerprint
from canonical.kind import Kind
from canonical.loss import Effect, Loss
from canonical.rate import Converted, Rate, Rounding
from connectors.contract.capabilities import Capabilities
from connectors.contract.records import Observed, Page
from sync.decide import Wanted
from sync.intake.rates import Rates
from sync.intake.residue import Part, settle, spans
from sync.intake.select import key_of
from sync.match import Key

_Model = TypeVar("_Model", Budget, Allocation)
_BATCH: Final = 1000


class _Told(NamedTuple):
    loss: Loss
    converted: Converted | None = None


@dataclass(slots=True)
class _Share:
    """One share with what it came to; `told` is None where nothing of it was converted."""

    item: Observed
    stated: Allocation
    made: Allocation
    told: _Told | None


class Converting:
    """Goes along with one reading of the source, budgets first."""

    def __init__(
        self, rates: Rates, able: Capabilities, as_of: date, *, keeps_own: bool = False
    ) -> None:
        """With `keeps_own` it is also told what the source itself stated."""
        self._keeps_own = keeps_own
        self._rates, self._as_of, self._vendor = rates, as_of, able.vendor
        digits = exponent(rates.to)
        self._digits = digits if able.amount_digits is None else min(digits, able.amount_digits)
        self._found: dict[str, Rate | str] = {}
        self._budgets: dict[str, tuple[Budget, Budget | None]] = {}  # None: it is blocked
        self._page: dict[Key, _Told] = {}
        self._used: dict[str, int] = defaultdict(int)

    def pages(self, kind: Kind, pages: Iterable[Page]) -> Iterator[Page]:
        """The pages in the target's currency; shares of converted money come last, budget by
        budget, as what they come to is to be seen together."""
        held: list[_Share] = []
        for page in pages:
            self._page = {}
            if kind is Kind.BUDGET:
                items = [self._budget(item) for item in page.items]
            else:
                items, more = self._divided(page.items)
                held += more
            yield replace(page, items=items)
        yield from self._together(held)

    def told(self, wanted: Wanted) -> Wanted:
        """What is wanted, with how it was converted."""
        told = self._page.get(wanted.key)
        if told is None:
            return wanted
        others = tuple(loss for loss in wanted.losses if loss.name != told.loss.name)
        return structs.replace(wanted, losses=(told.loss, *others), converted=told.converted)

    def again(self, model: Budget | Allocation) -> tuple[Budget | Allocation, Converted | None]:
        """What a record would come to by itself, and how; nothing is kept of it."""
        if isinstance(model, Budget):
            budget, told = self._converted(model)
            return budget, told and told.converted
        share, told = self._converted(model)
        return share, told and told.converted

    def used(self) -> tuple[UsedRate, ...]:
        """The rates by which something was converted, once all is read."""
        found = [(each, self._found[each], count) for each, count in sorted(self._used.items())]
        return tuple(
            UsedRate(
                currency=unit,
                into=rate.to,
                rate=f"{rate.value:f}",
                dated=rate.day,
                age_days=rate.age(self._as_of),
                rounding=self._rates.rounding.value,
                objects=count,
            )
            for unit, rate, count in found
            if isinstance(rate, Rate)
        )

    # -- one object --------------------------------------------------------------------------

    def _budget(self, item: Observed) -> Observed:
        model = item.model
        if not isinstance(model, Budget):
            return item
        made, told = self._converted(model)
        self._note(item, told)
        self._budgets[model.ref] = model, None if told and told.converted is None else made
        return item if made is model else structs.replace(item, model=made)

    def _note(self, item: Observed, told: _Told | None) -> None:
        if told is None:
            return
        self._page[key_of(item)] = told
        for rate in told.converted.rates if told.converted else ():
            self._used[rate.unit] += 1

    def _converted(self, model: _Model) -> tuple[_Model, _Told | None]:
        """The model in the target's currency, and what is said of that; as it is where it is in
        no other currency, or where there is no rate to go by."""
        units = list(dict.fromkeys(filter(self._is_foreign, _units(model))))
        if not units:
            return model, None
        rates: dict[str, Rate] = {}
        for unit in units:
            rate = self._rate(unit)
            if isinstance(rate, str):
                holds = f"{self._vendor} holds {self._rates.to} here, and {rate}"
                return model, _Told(Loss("currency", Effect.BLOCKED, holds))
            rates[unit] = rate
        try:
            made = self._made(model, rates)
        except ArithmeticError:
            reason = "its amounts are too large to be converted"
            return model, _Told(Loss("currency", Effect.BLOCKED, reason))
        own = facts(model)
        how = Converted(
            fingerprint(own),
            tuple(rates.values()),
            self._rates.rounding,
            own if self._keeps_own else None,
        )
        return made, _Told(Loss("currency", Effect.EMULATED, self._said(model, made, rates)), how)

    def _made(self, model: _Model, rates: Mapping[str, Rate]) -> _Model:
        changed: dict[str, object] = {
            "amount": model.amount and self._amount(model.amount, rates),
            "phases": tuple(
                Phase(each.period, self._amount(each.amount, rates)) for each in model.phases
            ),
            "alerts": model.alerts and self._alerts(model.alerts, _main(model), rates),
        }
        if isinstance(model, Budget):
            changed["limits"] = tuple(self._amount(each, rates) for each in model.limits)
        return structs.replace(model, **changed)

    def _amount(self, amount: Amount, rates: Mapping[str, Rate]) -> Amount:
        rate = rates.get(amount.unit)
        return rate.convert(amount, self._digits, self._rates.rounding) if rate else amount

    def _alerts(
        self, alerts: Sequence[Alert], money: Amount | None, rates: Mapping[str, Rate]
    ) -> tuple[Alert, ...]:
        """Thresholds of money are in the currency of the amount."""
        if money is None:
            return tuple(alerts)
        return tuple(
            alert
            if alert.percent
            else structs.replace(
                alert, threshold=self._amount(Amount(alert.threshold, money.unit), rates).value
            )
            for alert in alerts
        )

    def _is_foreign(self, unit: str) -> bool:
        return unit != self._rates.to and unit not in COUNTS

    def _rate(self, unit: str) -> Rate | str:
        if unit not in self._found:
            self._found[unit] = self._rates.on(unit, self._as_of)
        return self._found[unit]

    def _said(self, model: _Model, made: _Model, rates: Mapping[str, Rate]) -> str:
        stated = _main(model)
        if stated is None or stated.unit not in rates:
            named = ", ".join(f"{unit} at {rate}" for unit, rate in rates.items())
            return f"converted into {self._rates.to}: {named}"
        return f"{stated} at {rates[stated.unit]} is {_main(made)}"

    # -- shares together ---------------------------------------------------------------------

    def _divided(self, items: Sequence[Observed]) -> tuple[list[Observed], list[_Share]]:
        """What passes as it is, and what is to be seen together with the others of its budget."""
        passing, held = [], []
        for item in items:
            share = item.model
            assert isinstance(share, Allocation)
            made, told = self._converted(share)
            stated, budget = self._budgets.get(share.budget, (None, None))
            if told is None and stated is budget:
                passing.append(item)
            else:
                held.append(_Share(item, share, made, told))
        return passing, held

    def _together(self, held: Sequence[_Share]) -> Iterator[Page]:
        of: dict[str, list[_Share]] = defaultdict(list)
        for each in held:
            of[each.stated.budget].append(each)
        for ref, shares in of.items():
            self._settle(ref, shares)
        found = [each for shares in of.values() for each in shares]
        for start in range(0, len(found), _BATCH):
            self._page, some = {}, found[start : start + _BATCH]
            for each in some:
                self._note(each.item, each.told)
            yield Page([structs.replace(each.item, model=each.made) for each in some])

    def _settle(self, ref: str, shares: Sequence[_Share]) -> None:
        """Take from the shares of one budget what rounding gave them beyond what it has."""
        stated, budget = self._budgets.get(ref, (None, None))
        if stated is None or budget is None:
            return
        parts = [part for each in shares for part in self._parts(each, stated, budget)]
        by_ref = {each.stated.ref: each for each in shares}
        step, fills = Decimal(1).scaleb(-self._digits), self._rates.rounding is not Rounding.DOWN
        moved: dict[str, list[Part]] = defaultdict(list)
        for part in settle(self._spans(stated, budget), parts, step, fills=fills):
            moved[part.ref].append(part)
        for share, some in moved.items():
            self._move(by_ref[share], some)

    def _parts(self, share: _Share, stated: Budget, budget: Budget) -> list[Part]:
        """The amounts of a share that its budget has to hold: as `sync.shares` counts them."""
        whole = stated.complete(share.stated)
        blocked = share.told is not None and share.told.converted is None
        if blocked or whole.status is not Status.ACTIVE or whole.cadence is not stated.cadence:
            return []
        return self._spans(whole, budget.complete(share.made))

    def _spans(self, stated: Budget | Allocation, made: Budget | Allocation) -> list[Part]:
        found = []
        for at, start, end in spans(stated):
            before = stated.amount if at is None else stated.phases[at].amount
            after = made.amount if at is None else made.phases[at].amount
            if before is not None and after is not None:
                rate = self._rate(before.unit) if self._is_foreign(before.unit) else None
                exact = rate.exact(before.value) if isinstance(rate, Rate) else before.value
                found.append(Part(stated.ref, at, start, end, exact, after.value))
        return found

    def _move(self, share: _Share, parts: Sequence[Part]) -> None:
        made, phases = share.made, list(share.made.phases)
        amount = made.amount
        for part in parts:
            if part.at is None and amount is not None:
                amount = Amount(part.rounded, amount.unit)
            elif part.at is not None:
                unit = phases[part.at].amount.unit
                phases[part.at] = Phase(phases[part.at].period, Amount(part.rounded, unit))
        share.made = structs.replace(made, amount=amount, phases=tuple(phases))
        if share.told is not None:
            by = Amount(abs(parts[0].moved), self._rates.to)
            how = f"less {by}, so that the shares of {made.budget} come to no more than it has"
            if parts[0].moved > 0:
                how = f"and {by} more, so that the shares of {made.budget} come to all that it has"
            loss = replace(share.told.loss, reason=f"{share.told.loss.reason}, {how}")
            share.told = share.told._replace(loss=loss)


def _units(model: Budget | Allocation) -> Iterator[str]:
    for amount in (model.amount, *(each.amount for each in model.phases)):
        if amount is not None:
            yield amount.unit
    if isinstance(model, Budget):
        yield from (each.unit for each in model.limits)


def _main(model: Budget | Allocation) -> Amount | None:
    """The amount that stands for the object."""
    return model.amount or (model.phases[0].amount if model.phases else None)

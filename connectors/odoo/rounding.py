"""Rounding: amounts in whole multiples of what the company's currency is rounded to in Odoo."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from msgspec import structs

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.loss import Effect, Loss
from canonical.phase import Phase
from connectors.odoo.company import Books

_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)


def rounded(model: Budget, books: Books, vendor: str) -> tuple[Budget, Sequence[Loss]]:
    """The budget as Odoo's currency holds it, half to even; and what that changes."""
    if model.amount is None or model.amount.unit != books.unit:
        return model, ()
    phases = tuple(Phase(each.period, _held(each.amount, books.step)) for each in model.phases)
    held = structs.replace(model, amount=_held(model.amount, books.step), phases=phases)
    losses = []
    if held.amount != model.amount:
        losses.append(_loss("amount", model.amount, held.amount, books, vendor))
    for before, after in zip(model.phases, phases, strict=True):
        if before.amount != after.amount:
            losses.append(_loss("phases", before.amount, after.amount, books, vendor))
            break
    return held, losses


def is_whole(amount: Amount, step: Decimal) -> bool:
    """Whether the amount is a multiple of the step."""
    return _held(amount, step) == amount


def _held(amount: Amount, step: Decimal) -> Amount:
    """The nearest multiple of the step."""
    times = _CONTEXT.divide(amount.value, step).quantize(Decimal(1), context=_CONTEXT)
    value = _CONTEXT.multiply(times, step)
    return amount if value == amount.value else Amount(value, amount.unit)


def _loss(field: str, said: Amount, held: Amount | None, books: Books, vendor: str) -> Loss:
    reason = f"{vendor}: {said} becomes {held}: {books.unit} is rounded to {books.step} there"
    return Loss(field, Effect.ROUNDED, reason)

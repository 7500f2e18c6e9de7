"""The source's terms: what it can hold of an object that it is to be told."""

from collections.abc import Sequence
from datetime import date
from typing import Final, TypeAlias

from msgspec import structs

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.facts import fields_of
from canonical.loss import Loss
from connectors.contract.interface import Connector
from sync.decide import joined
from sync.project import Projector
from sync.spec import SyncSpec

Model: TypeAlias = Budget | Allocation
_ALL_TIME: Final = 12 * 200
"""Months back: what is over stays in the source as it is."""


class SourceTerms:
    """Puts objects into them on one day."""

    def __init__(self, spec: SyncSpec, source: Connector, as_of: date) -> None:
        self._source = source
        able = source.capabilities
        self._projector = Projector(able, as_of, spec.horizon_months, _ALL_TIME)

    def held(self, record: Model, model: Model) -> tuple[Model, Sequence[Loss]]:
        """`record`, changed as far as the source can hold what is new of it in `model`; and what
        that loses."""
        names = [
            name
            for name in fields_of(model)
            if name != "currency" and getattr(model, name) != getattr(record, name)
        ]
        fitted, losses = self.whole(model)
        lost = [each for each in losses if each.field in names]
        return structs.replace(model, **{name: getattr(fitted, name) for name in names}), lost

    def whole(self, model: Model) -> tuple[Model, Sequence[Loss]]:
        """All of it as the source can hold it."""
        projected: Model
        if isinstance(model, Budget):
            projected, losses = self._projector.budget(model)
        else:
            projected, losses = self._projector.allocation(model)
        fitted, more = self._source.fit(projected, self._projector.horizon)
        return fitted, joined(losses, more)

"""Rows of somebody else in an object of ours: rows bear no stamp, but we know what we agreed on.

A row for a period that neither side ever agreed on, and that nobody wants now, was not made by us.
"""

from collections.abc import Collection, Sequence
from datetime import date

from canonical.facts import Facts
from canonical.kind import FIELDS, Kind
from canonical.period import Period
from connectors.kaireon.series import Series
from connectors.kaireon.wire import KaireonRow


def foreign(
    series: Series, id: str, wanted: Collection[Period], agreed: Sequence[Period] | None
) -> Sequence[KaireonRow]:
    """The rows of `series`, whose link has that `id`, that are not ours; all that nobody wants
    where nothing was `agreed`.

    The row with the id is ours where a wanted one is missing: somebody gave it another period.
    """
    known = agreed or ()
    missing = agreed is not None and not set(wanted) <= series.periods
    return [
        row
        for period, row in series.rows
        if period not in wanted
        and not any(span.holds(period) for span in known)
        and not (missing and row.id == id)
    ]


def spans_of(kind: Kind, agreed: Facts) -> Sequence[Period]:
    """The stretches of time for which there were rows, by the facts that were wanted.

    Without a start, all that is before the end: such a budget takes the rows that it finds.
    """
    said = dict(zip(FIELDS[kind], agreed, strict=True))
    phases = said.get("phases")
    if isinstance(phases, tuple):
        return [_span(*str(phase[0]).split("..")) for phase in phases if isinstance(phase, tuple)]
    start, end = said["start"] or date.min.isoformat(), said["end"] or ""
    return [_span(str(start), str(end))]


def _span(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end) if end else None)

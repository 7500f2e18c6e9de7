"""Recording: what systems have seen spent, kept where the budgets came from.

Each row ends as one entry, so that what is not kept is told with its reason. What is kept is what
counts now: an amount of a period that is over, or is yet to come, is left as it is.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from canonical.amount import Amount
from canonical.kind import Kind
from canonical.spent import Spent, place_of, summed
from connectors.contract.interface import Connector
from connectors.contract.records import Keeping, Recorded
from sync.outcome import Exit
from sync.state.ledger import Ledger

SKIPPED: Final = "skipped"
"""What there is nothing to be kept of."""
OUTCOMES: Final = (*(each.value for each in Keeping), SKIPPED)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row, and what became of it: one of `OUTCOMES`; the rest as in `Recorded`."""

    row: Spent
    outcome: str
    reason: str = ""
    place: str = ""
    before: Amount | None = None
    after: Amount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What was kept in the system `into`; with `dry_run` what would be.

    `failed` are the systems that could not tell all that they have seen spent, and why.
    """

    into: str
    dry_run: bool
    entries: Sequence[Entry]
    failed: Mapping[str, Exception] = field(default_factory=dict)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows ended in which way."""
        found = Counter(each.outcome for each in self.entries)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    @property
    def exit_code(self) -> int:
        """Partial where something could not be kept; what systems failed in apart."""
        return Exit.PARTIAL if self.counts[Keeping.REFUSED.value] else Exit.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whose refs count, and who has been asked.

    `sources` are the systems whose refs are those of the system that keeps; None where any are.
    `silent` are the systems that were not asked, or failed, with the ledgers of the syncs from
    those sources into them.
    """

    sources: Collection[str] | None = None
    silent: Mapping[str, Sequence[Ledger]] = field(default_factory=dict)


def record(
    connector: Connector, rows: Sequence[Spent], day: date, told: Told, *, dry_run: bool = False
) -> Sequence[Entry]:
    """Have `connector` keep the rows, and say of each what became of it; `day` is today.

    Raises the errors of `connectors.contract.errors`: the same again then completes it.
    """
    found: dict[int, Entry] = {}
    for n, row in enumerate(rows):
        outcome, reason = _left_out(connector, row, day, told.sources)
        if outcome:
            found[n] = Entry(row, outcome, reason)
    if connector.capabilities.sums_actuals:
        rest = [n for n in range(len(rows)) if n not in found]
        found |= dict(_incomplete(rows, rest, told.silent))
        rest = [n for n in rest if n not in found]
        found |= dict(_unsummed(rows, rest, told.sources))
    rest = [n for n in range(len(rows)) if n not in found]
    if rest:
        answers = connector.record_actuals([rows[n] for n in rest], dry_run=dry_run)
        for n, answer in zip(rest, answers, strict=True):
            found[n] = _entry(rows[n], answer)
    return [found[n] for n in range(len(rows))]


def _entry(row: Spent, answer: Recorded) -> Entry:
    return Entry(
        row, answer.outcome.value, answer.reason, answer.place, answer.before, answer.after
    )


def _left_out(
    connector: Connector, row: Spent, day: date, sources: Collection[str] | None
) -> tuple[str, str]:
    """How a row ends that the connector is not told of, and why; nothing where it is told."""
    if row.kind not in connector.capabilities.takes_actuals:
        return SKIPPED, f"{connector.name} keeps no actuals of {row.kind}s"
    if row.ref is None:
        return SKIPPED, "no sync links it"
    if row.spent is None:
        return SKIPPED, f"{row.system} does not tell what is spent of it"
    if sources is not None and row.source not in sources:
        return Keeping.REFUSED.value, f"its ref is of {row.source}, not of {connector.name}"
    if row.period is None:
        return Keeping.REFUSED.value, "of which period it is cannot be told"
    if day not in row.period:
        over = row.period.start <= day
        said = f"is over since {row.period.end}" if over else f"begins on {row.period.start}"
        return SKIPPED, f"its period {said}"
    return "", ""


def _unsummed(
    rows: Sequence[Spent], which: Sequence[int], sources: Collection[str] | None
) -> Iterator[tuple[int, Entry]]:
    """Those whose sum lacks a part: one in another currency, or one that its system cannot tell."""
    untold = {
        (each.kind, each.budget_ref, each.ref): each.system
        for each in rows
        if (each.spent is None or each.period is None)
        and (sources is None or each.source in sources)
    }
    units: dict[Hashable, list[str]] = defaultdict(list)
    for place, spent in summed(rows[n] for n in which).items():
        if spent.value:
            units[replace(place, unit="")].append(place.unit)
    for n in which:
        row, where = rows[n], place_of(rows[n])
        several = units[replace(where, unit="")] if where else []
        reason = ""
        if system := untold.get((row.kind, row.budget_ref, row.ref)):
            reason = f"{system} holds it too, and does not tell what is spent of it in which period"
        elif len(several) > 1:
            reason = f"it is spent in {' and in '.join(sorted(several))}, which have no sum"
        if reason:
            yield n, Entry(row, Keeping.REFUSED.value, reason)


def _incomplete(
    rows: Sequence[Spent], which: Sequence[int], silent: Mapping[str, Sequence[Ledger]]
) -> Iterator[tuple[int, Entry]]:
    """Those whose sum lacks what a silent system has seen spent of the same object."""
    for kind in Kind:
        keys = {n: (rows[n].budget_ref or "", rows[n].ref or "") for n in which
                if rows[n].kind is kind}  # fmt: skip
        for system, ledgers in silent.items():
            for ledger in ledgers:
                there = ledger.by_refs(kind, [*dict.fromkeys(keys.values())])
                for n in [n for n, key in keys.items() if key in there]:
                    del keys[n]
                    reason = f"{system} holds it too, and has not told what is spent of it"
                    yield n, Entry(rows[n], Keeping.REFUSED.value, reason)

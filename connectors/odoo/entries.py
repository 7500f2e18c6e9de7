"""What Odoo's lines plan, each for its period, spend being positive."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from canonical.allocation import Status
from canonical.errors import CanonicalError
from canonical.period import Period
from canonical.text import ref as spelled
from connectors.calling.parsing import decoded
from connectors.contract.errors import Malformed
from connectors.erp.entries import Entry, Unread, Whose
from connectors.erp.mapping import turned
from connectors.odoo.wire import ACCOUNTS, Account, Document, Family, Line, Pair, stated


@dataclass(frozen=True, slots=True)
class Planned(Entry):
    """An entry that also says of which position and document it is, and that Odoo's own amount is
    this one times `factor`."""

    position: Whose | None = None
    source: int = 0
    factor: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What lines are read with: documents and accounts by id; `sign` goes before the family's.

    `positions` is the model of what the positions are, None where lines have none. `unknown` are
    documents of which nobody can say whether they count, with the reason.
    """

    family: Family
    documents: Mapping[int, Document]
    accounts: Mapping[int, Account]
    positions: str | None
    unknown: Mapping[int, str]
    sign: int | None

    def factor(self, document: int) -> int:
        """What amounts of that document are multiplied by."""
        return self.sign or self.family.factor(self.documents[document])


def planned(entries: Iterable[Entry]) -> Sequence[Planned]:
    """The entries as what they were read as here."""
    return [each for each in entries if isinstance(each, Planned)]


def ours_of(family: Family, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record of a line under our names; what Odoo leaves out is left out."""
    named = {
        ours: record[theirs] for ours, theirs in family.line_fields().items() if theirs in record
    }
    return {"id": record.get("id"), "position": False, **named}


def entries_of(lines: Iterable[Mapping[str, Any]], known: Known) -> Iterator[Planned | Unread]:
    """One of each line of an analytic account; those of none are passed over."""
    for line in lines:
        if line.get("account") is False:
            continue
        ref = _ref_of(line, known)
        try:
            yield _planned(decoded(Line, line), known)
        except (Malformed, CanonicalError) as error:
            yield Unread(ref, f"line {line['id']}", f"{error}")


def _planned(line: Line, known: Known) -> Planned:
    id, title = line.document
    if id not in known.documents:
        raise Malformed(f"its budget {title!r} is none of those that are read")
    if id in known.unknown:
        raise Malformed(known.unknown[id])
    whose = _whose(line.account, known)
    position = stated(line.position)
    factor = known.factor(id)
    return Planned(
        whose,
        Period(line.date_from, line.date_to),
        turned(line.amount, factor),
        known.documents[id].name,
        line.id,
        position=None if position is None else _position(position, known),
        source=id,
        factor=factor,
    )


def _whose(pair: Pair, known: Known) -> Whose:
    id, shown = pair
    account = known.accounts.get(id)
    if account is None:
        raise Malformed(f"its analytic account {shown or id!r} is not shown to the user")
    key = f"{ACCOUNTS},{id}"
    ref = spelled(stated(account.code) or "") or key
    status = Status.ACTIVE if account.active else Status.INACTIVE
    return Whose(ref, account.name, key, id, status)


def _position(pair: Pair, known: Known) -> Whose:
    if known.positions == ACCOUNTS:  # of another plan
        return _whose(pair, known)
    id, name = pair
    key = f"{known.positions},{id}"
    return Whose(key, spelled(stated(name) or "") or key, key, id)


def _ref_of(line: Mapping[str, Any], known: Known) -> str | None:
    """Whose a line is that cannot be read, where it says so."""
    match line.get("account"):
        case [int(id), *_] if not isinstance(id, bool):
            try:
                return _whose((id, False), known).ref
            except (Malformed, CanonicalError):
                pass
    return None

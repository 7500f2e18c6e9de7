"""Tables: the rows of many budgets in one call, where the server lists them and they are all there.

What ERPNext's REST says of a table of its own is little, so nothing is believed of it that a budget
does not bear out: its rows follow each other without a gap from its first day to its last.
Any other budget is to be read by itself, and so is one whose amount they do not come to.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, Final

from connectors.calling.parsing import decoded
from connectors.contract.errors import Malformed
from connectors.erpnext.site import Site
from connectors.erpnext.wire import AccountBudget, Header, ListedRow

_TABLE: Final = "Budget Distribution"
_FIELD: Final = "budget_distribution"
_BUDGETS: Final = 50
_CHARACTERS: Final = 1200
"""Of the names in one call, as its address is to stay shorter than 4000."""
_ROWS: Final = 5000


def with_rows(site: Site, headers: Iterable[Header]) -> Mapping[str, AccountBudget]:
    """By name, those of the listed budgets whose rows could be had together."""
    listed = {each.name: each for each in headers if _counts_by_rows(each)}
    found: dict[str, AccountBudget] = {}
    for names in _together([*listed]):
        rows = site.rows(_TABLE, names, _ROWS)
        if rows is None:
            break  # nor will it list those of others
        by_parent = _by_parent(rows)
        for name in names:
            if budget := _whole(listed[name], by_parent.get(name, ())):
                found[name] = budget
    return found


def _counts_by_rows(header: Header) -> bool:
    return None not in (
        header.account, header.budget_amount, header.budget_start_date, header.budget_end_date,
    )  # fmt: skip


def _whole(header: Header, rows: Sequence[ListedRow]) -> AccountBudget | None:
    """The budget with its rows; None where one may be missing."""
    assert header.account is not None
    assert header.budget_amount is not None
    gaps = (after.start_date - before.end_date for before, after in pairwise(rows))
    if not rows or any(gap.days != 1 for gap in gaps) or not _reach(header, rows):
        return None
    return AccountBudget(
        name=header.name,
        account=header.account,
        budget_amount=header.budget_amount,
        budget_distribution=[*rows],
    )


def _reach(header: Header, rows: Sequence[ListedRow]) -> bool:
    """Whether they begin with its first day, or before, and end with its last."""
    assert header.budget_start_date is not None
    assert header.budget_end_date is not None
    return (
        rows[0].start_date <= header.budget_start_date
        and header.budget_end_date <= rows[-1].end_date
    )


def _together(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """The names in portions that one address can hold."""
    portion: list[str] = []
    length = 0
    for name in names:
        size = len(name.encode()) * 3
        if portion and (len(portion) == _BUDGETS or length + size > _CHARACTERS):
            yield portion
            portion, length = [], 0
        portion.append(name)
        length += size
    if portion:
        yield portion


def _by_parent(records: Sequence[Any]) -> Mapping[str, Sequence[ListedRow]]:
    """The rows of each budget in their order; one that cannot be read is missing."""
    found: dict[str, list[ListedRow]] = defaultdict(list)
    for record in records:
        with suppress(Malformed):
            row = decoded(ListedRow, record)
            if row.parentfield == _FIELD:
                found[row.parent].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row.start_date, row.end_date))
    return found

"""What becomes of each row that a system is to keep, and what it is never told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Period
from canonical.spent import Spent
from connectors.memory.connector import Memory
from sync.outcome import Exit
from sync.recording import Recording, Told, record

DAY = date(2026, 3, 15)
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))


def usd(value: str) -> Amount:
    return Amount.of(value, "USD")


def spent(ref: str | None = "A", value: str = "10", **said: Any) -> Spent:
    row = Spent(
        system="brex", sync="s", kind=Kind.BUDGET, ref=ref, budget_ref=None, name="Travel",
        target_id="b1", above=None, status=Status.ACTIVE, amount=None, spent=usd(value),
        pending=None, remaining=None, at=None, source="erp", period=MARCH,
    )  # fmt: skip
    return replace(row, **said)


class Links:
    """A ledger that links those refs."""

    def __init__(self, *refs: str) -> None:
        self._refs = refs

    def by_refs(self, kind: Kind, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Any]:
        return {key: True for key in keys if kind is Kind.BUDGET and key[1] in self._refs}


@pytest.fixture
def erp() -> Memory:
    memory = Memory("erp")
    memory.put(*(Budget(ref=ref, name=ref, amount=usd("100")) for ref in "AB"))
    return memory


def outcomes(erp: Memory, *rows: Spent, told: Told | None = None) -> list[tuple[str, str]]:
    entries = record(erp, rows, DAY, told or Told())
    assert [each.row for each in entries] == [*rows]
    return [(each.outcome, each.reason) for each in entries]


def test_what_is_spent_is_kept_by_ref_and_period(erp: Memory) -> None:
    assert outcomes(erp, spent("A"), spent("B", "20.50")) == [("written", "")] * 2
    assert {(place.ref, place.period): kept for place, kept in erp.kept.items()} == {
        ("A", MARCH): usd("10"),
        ("B", MARCH): usd("20.50"),
    }


@pytest.mark.parametrize(
    ("said", "outcome", "reason"),
    [
        ({"ref": None}, "skipped", "no sync links it"),
        ({"spent": None}, "skipped", "brex does not tell what is spent of it"),
        ({"period": None}, "refused", "of which period it is cannot be told"),
        (
            {"period": Period(date(2026, 2, 1), date(2026, 2, 28))},
            "skipped",
            "its period is over since 2026-02-28",
        ),
        ({"period": Period(date(2026, 4, 1))}, "skipped", "its period begins on 2026-04-01"),
        ({"ref": "Z"}, "refused", "erp has no budget Z"),
        ({"spent": Amount.of(1, "EUR")}, "refused", "A is in USD"),
    ],
)
def test_what_has_no_place_is_told_and_stops_no_other(
    erp: Memory, said: dict[str, Any], outcome: str, reason: str
) -> None:
    found = outcomes(erp, spent(**said), spent("B"))

    assert found == [(outcome, reason), ("written", "")]
    assert [place.ref for place in erp.kept] == ["B"]


def test_a_ref_of_another_source_is_no_ref_of_this_one(erp: Memory) -> None:
    told = Told(sources={"erp"})

    found = outcomes(erp, spent(source="crm"), spent("B"), told=told)

    assert found == [("refused", "its ref is of crm, not of erp"), ("written", "")]


def test_a_sum_that_lacks_what_a_system_has_not_told_is_not_kept(erp: Memory) -> None:
    told = Told(silent={"bill": [Links("A")]})  # type: ignore[list-item]

    found = outcomes(erp, spent("A"), spent("B"), told=told)

    assert found == [
        ("refused", "bill holds it too, and has not told what is spent of it"),
        ("written", ""),
    ]


def test_what_is_spent_in_two_currencies_is_not_kept_in_one_of_them(erp: Memory) -> None:
    converted = spent("A", system="bill", spent=Amount.of(9, "EUR"))

    found = outcomes(erp, spent("A"), converted, spent("B"))

    assert found == [("refused", "it is spent in EUR and in USD, which have no sum")] * 2 + [
        ("written", "")
    ]


def test_nothing_spent_in_another_currency_lacks_in_no_sum(erp: Memory) -> None:
    converted = spent("A", system="bill", spent=Amount.of(0, "EUR"))

    assert outcomes(erp, spent("A"), converted)[0] == ("written", "")


@pytest.mark.parametrize("untold", ["spent", "period"])
def test_a_sum_lacks_what_a_system_cannot_tell_of_the_object(erp: Memory, untold: str) -> None:
    found = outcomes(erp, spent("A", system="bill", **{untold: None}), spent("A"), spent("B"))

    reason = "bill holds it too, and does not tell what is spent of it in which period"
    assert found[1:] == [("refused", reason), ("written", "")]


def test_a_system_that_keeps_each_row_need_not_wait_for_others() -> None:
    each = Memory.with_capabilities(sums_actuals=False)("erp")
    each.put(Budget(ref="A", name="A", amount=usd("100")))
    told = Told(silent={"bill": [Links("A")]})  # type: ignore[list-item]

    assert outcomes(each, spent("A"), told=told) == [("written", "")]


def test_what_it_does_not_keep_is_not_told_to_it() -> None:
    budgets = Memory.with_capabilities(takes_actuals=frozenset({Kind.BUDGET}))("erp")
    share = spent("1", kind=Kind.ALLOCATION, budget_ref="A")

    assert outcomes(budgets, share) == [("skipped", "erp keeps no actuals of allocations")]


def test_only_what_could_not_be_kept_makes_it_partial(erp: Memory) -> None:
    def ended(*rows: Spent) -> int:
        entries = record(erp, rows, DAY, Told())
        return Recording(into="erp", dry_run=False, entries=entries).exit_code

    assert ended(spent("A"), spent(None)) == Exit.OK
    assert ended(spent("A"), spent("Z")) == Exit.PARTIAL

"""An ERP that goes on changing: budgets with allocations, in a file that is replaced at once."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

_FIRST = 12
"""How many budgets there are at the beginning, and about how many there are at any time."""
_CENT = Decimal("0.01")


class Erp:
    """States budgets for one vendor; `entity` has a place for a number from 1 to 4."""

    def __init__(self, path: Path, entity: str, chance: Random) -> None:
        self._path, self._entity, self._chance = path, entity, chance
        self._count = 0
        self._budgets: dict[str, dict[str, Any]] = {}
        self._start = datetime.now(UTC).date().replace(day=1)
        for _ in range(_FIRST):
            self._add()
        self._write()

    def change(self) -> None:
        """One thing is otherwise from now on: an amount, a share, a budget more or less."""
        ways = [self._add, self._remove, self._amount, self._amount, self._share, self._share]
        self._chance.choice(ways)()
        self._write()

    def stated(self) -> Mapping[str, Decimal]:
        """The money of each budget and of each share, by its ref."""
        found = {}
        for budget in self._budgets.values():
            for each in (budget, *budget["allocations"]):
                found[each["ref"]] = Decimal(each["amount"])
        return found

    def _add(self) -> None:
        self._count += 1
        ref = f"B{self._count:05}"
        self._budgets[ref] = {
            "ref": ref, "name": f"Budget {ref}", "currency": "USD", "amount": self._money(1000, 2000),
            "cadence": "monthly", "start": f"{self._start}",
            "end": f"{(self._start + timedelta(days=62)).replace(day=1) - timedelta(days=1)}",
            "allocations": [],
        }  # fmt: skip
        for number in self._chance.sample(range(1, 5), self._chance.randint(0, 2)):
            self._share_of(ref, number)

    def _remove(self) -> None:
        if len(self._budgets) > _FIRST // 2:
            del self._budgets[self._one()]

    def _amount(self) -> None:
        self._budgets[self._one()]["amount"] = self._money(1000, 2000)

    def _share(self) -> None:
        """A share has another amount, is gone, or is new."""
        ref = self._one()
        shares = self._budgets[ref]["allocations"]
        if shares and self._chance.random() < 0.3:
            shares.pop()
        elif shares and self._chance.random() < 0.6:
            shares[0]["amount"] = self._money(10, 200)
        else:
            self._share_of(ref, self._chance.randint(1, 4))

    def _share_of(self, budget: str, number: int) -> None:
        shares, ref = self._budgets[budget]["allocations"], f"{budget}-{number}"
        if all(each["ref"] != ref for each in shares):
            type, _, id = self._entity.format(number).partition(":")
            amount = self._money(10, 200)
            shares.append({"ref": ref, "entity_type": type, "entity": id, "amount": amount})

    def _one(self) -> str:
        return self._chance.choice(sorted(self._budgets))

    def _money(self, low: int, high: int) -> str:
        return f"{self._chance.randint(low * 100, high * 100) * _CENT:.2f}"

    def _write(self) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(list(self._budgets.values())), encoding="utf-8")
        os.replace(new, self._path)

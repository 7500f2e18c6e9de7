"""The five vendors as a first run meets them: their settings, and an ERP that they can hold."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from connectors.sandbox.__main__ import load

SHARES = 4
SYNC = "first"
TOKEN = "benchmark"
CREDENTIALS = {"TOKEN": TOKEN, "APP_KEY": "app_key_sandbox"}
"""The environment in which the settings find their secrets."""

_SETTINGS = """\
[systems.erp]
connector = "file"
path = "budgets.json"

[systems.{name}]
connector = "{name}"
base_url = "{url}"
rate_limit = "{limit}"
{own}

[syncs.{sync}]
source = "erp"
target = "{name}"
parallel = {parallel}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One vendor: `own` are its keys in the settings, `path` what follows its address.

    `entity` is what allocations are for, with a place for a number. `faster` is the limit that is
    measured where the documented one takes hours.
    """

    name: str
    own: str
    entity: str
    faster: str | None = None
    path: str = ""
    seed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def documented(self) -> str:
        """The limit that the vendor documents, which is its sandbox's own."""
        return load(self.name).RATE_LIMIT

    @property
    def limit(self) -> str:
        """The limit that is measured."""
        return self.faster or self.documented

    def write_settings(self, folder: Path, url: str, parallel: int) -> Path:
        """The settings of a sync from the ERP in `folder` to this vendor's sandbox at `url`."""
        text = _SETTINGS.format(
            name=self.name,
            url=url + self.path,
            limit=self.limit,
            own=self.own,
            sync=SYNC,
            parallel=parallel,
        )
        settings = folder / "trueup.toml"
        settings.write_text(text, encoding="utf-8")
        return settings

    def write_erp(self, folder: Path, budgets: int) -> None:
        """`budgets.json`: budgets of the month that it is, with `SHARES` allocations each."""
        first = date.today().replace(day=1)  # noqa: DTZ011  # sandboxes go by the machine's clock
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        days = {"start": first.isoformat(), "end": last.isoformat()}
        rows = [self._budget(number, days) for number in range(budgets)]
        (folder / "budgets.json").write_text(json.dumps(rows), encoding="utf-8")

    def _budget(self, number: int, days: Mapping[str, str]) -> dict[str, Any]:
        return {
            "ref": f"B{number}", "name": f"Budget {number}", "currency": "USD", "amount": "100.00",
            "cadence": "monthly", **days,
            "allocations": [self._share(number, share) for share in range(SHARES)],
        }  # fmt: skip

    def _share(self, budget: int, number: int) -> dict[str, str]:
        type, _, id = self.entity.partition(":")
        return {
            "ref": f"B{budget}-{number}", "entity_type": type, "entity": id.format(number),
            "amount": "10.00", "status": "active",
        }  # fmt: skip


def _person(number: int) -> dict[str, str]:
    email = f"user{number}@example.com"
    return {"id": f"user{number}", "firstName": "User", "lastName": str(number), "email": email}


VENDORS = (
    Vendor(name="brex", own='token = "env:TOKEN"', entity="user:cuuser_{}"),
    Vendor(
        name="kaireon",
        own='api_key = "env:TOKEN"\ntenant_id = "acme"\ncurrency = "USD"',
        entity="offer:offer_{}",
    ),
    Vendor(
        name="vtex",
        own='app_key = "env:APP_KEY"\napp_token = "env:TOKEN"\n'
        'context_id = "unit-first"\ncurrency = "USD"',
        entity="account:61{}0",
    ),
    Vendor(
        name="bill",
        own='api_token = "env:TOKEN"\ncurrency = "USD"',
        entity="user:user{}@example.com",
        faster="60/20s",
        seed={"users": [_person(number) for number in range(SHARES)]},
    ),
    Vendor(
        name="vantage",
        own='token = "env:TOKEN"\nworkspace_token = "wrkspc_sandbox"\ncurrency = "USD"',
        entity="cost_report:rprt_{}",
        faster="1000/3m",
        path="/v2",
    ),
)

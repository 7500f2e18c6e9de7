"""The five vendors as a sync is killed at each: their keys, and an ERP that changes.

The ERP is sized so that the guards that a sync has by default let all of its changes pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sync.spec import OnRemove

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One vendor: its keys in the settings, and what its sandbox is told.

    `entity` is what allocations are for, and `owner` who owns a budget where it can be told, both
    with a place for a number. `removes` are the policies of removal that it knows; `nests` is
    whether a budget may be below another one as they are here. `lags` is whether its listings show
    what is made a while later. `volatile` are fields of its records that differ between two runs that do the same.
    """

    own: str
    entity: str
    removes: Sequence[OnRemove]
    path: str = ""
    nests: bool = False
    owner: str | None = None
    lags: bool = True
    sandbox: Mapping[str, Any] = field(default_factory=dict)
    volatile: frozenset[str] = frozenset()


PEOPLE = [
    {"id": f"u{number}", "firstName": "U", "lastName": f"{number}", "email": f"u{number}@x.com"}
    for number in range(1, 5)
]
VENDORS: Mapping[str, Vendor] = {
    "vtex": Vendor(
        own='app_key = "env:TRUEUP_TEST_KEY"\napp_token = "env:TRUEUP_TEST_SECRET"\n'
        'context_id = "unit-first"\ncurrency = "USD"',
        entity="account:61{}0",
        removes=(OnRemove.RETIRE, OnRemove.DELETE),
    ),
    "brex": Vendor(
        own='token = "env:TRUEUP_TEST_SECRET"',
        entity="user:u{}",
        removes=(OnRemove.RETIRE,),
        nests=True,
        owner="u{}",
        sandbox={"users": ("u1", "u2", "u3", "u4")},
    ),
    "bill": Vendor(
        own='api_token = "env:TRUEUP_TEST_SECRET"\ncurrency = "USD"',
        entity="user:u{}@x.com",
        removes=(OnRemove.RETIRE,),
        owner="u{}@x.com",
        sandbox={"now": NOON, "seed": {"users": PEOPLE}},
        volatile=frozenset({"uuid", "userUuid"}),
    ),
    "vantage": Vendor(
        own='token = "env:TRUEUP_TEST_SECRET"\nworkspace_token = "wrkspc_sandbox"\n'
        'currency = "USD"',
        entity="cost_report:rprt_{}",
        removes=(OnRemove.DELETE,),
        path="/v2",
        nests=True,
    ),
    "kaireon": Vendor(
        own='api_key = "env:TRUEUP_TEST_SECRET"\ntenant_id = "acme"\ncurrency = "USD"',
        entity="offer:offer_{}",
        removes=(OnRemove.DELETE,),
        path="/api/v1",
        volatile=frozenset({"createdAt"}),
    ),
}


class Erp:
    """What the source states at one vendor: a few budgets, or many before and after a change."""

    FILLERS = 50

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    def few(self) -> list[Any]:
        """What a first filling brings."""
        return [
            self._budget("A1", "500.00", {1: "100.00", 2: "50.00"}),
            self._budget("A2", "300.00", {1: "100.00"}),
            self._budget("A3", "120.00", {}, parent=self._below("A1")),
        ]

    def before(self) -> list[Any]:
        """Budgets with allocations among many that stay as they are."""
        return [
            *self._fillers(),
            self._budget("B1", "1000.00", {1: "300.00", 2: "200.00"}),
            self._budget("B2", "800.00", {1: "100.00", 2: "100.00"}),
            self._budget("B3", "900.00", {1: "400.00"}, owner=3),
            self._budget("B4", "600.00", {1: "50.00"}),
        ]

    def after(self) -> list[Any]:
        """Some of it created, updated up and down, renamed, and removed, of either kind."""
        return [
            *self._fillers(),
            self._budget("B1", "1040.00", {1: "310.00", 2: "200.00", 3: "60.00"}, name="Renamed"),
            self._budget("B2", "800.00", {1: "120.00"}, later="820.00"),
            self._budget("B3", "850.00", {1: "350.00", 2: "25.50"}, owner=4),
            self._budget("N1", "400.00", {1: "75.25", 2: "80.00"}, owner=3, later="410.00"),
            self._budget("N2", "200.00", {3: "20.00"}, parent=self._below("B1")),
        ]

    def named(self) -> list[Any]:
        """Budgets and shares whose names are about to pass on."""
        return [
            *self._fillers(),
            self._budget("B1", "1000.00", {1: "300.00", 2: "200.00"}, name="Alpha"),
            self._budget("B2", "800.00", {1: "100.00"}, name="Beta"),
            self._budget("B3", "900.00", {1: "400.00"}, name="Gamma"),
            self._budget("B4", "600.00", {}, name="Delta"),
        ]

    def renamed(self) -> list[Any]:
        """Two names, and the entities of two shares, are swapped; a chain ends with a removal, and
        begins with what is new."""
        swapped = {1: 2, 2: 1}
        return [
            *self._fillers(),
            self._budget(
                "B1", "1040.00", {1: "300.00", 2: "200.00"}, name="Beta", entities=swapped
            ),
            self._budget("B2", "800.00", {1: "100.00"}, name="Alpha"),
            self._budget("B3", "900.00", {1: "400.00"}, name="Delta"),
            self._budget("N1", "400.00", {2: "80.00"}, name="Gamma"),
        ]

    def _below(self, ref: str) -> str | None:
        return ref if self._vendor.nests else None

    def _fillers(self) -> Iterator[Any]:
        for number in range(self.FILLERS):
            shares = {4: "9000.00"} if number == 0 else {}
            yield self._budget(f"F{number:02}", "20000.00", shares, last="2026-03-31")

    def _budget(
        self,
        ref: str,
        amount: str,
        shares: Mapping[int, str],
        *,
        name: str | None = None,
        parent: str | None = None,
        owner: int | None = None,
        later: str | None = None,
        last: str = "2026-04-30",
        entities: Mapping[int, int] | None = None,
    ) -> dict[str, Any]:
        """`entities` are the numbers of those that shares are for, where they are not their own."""
        said: dict[str, Any] = {
            "ref": ref, "name": name or f"Budget {ref}", "currency": "USD", "amount": amount,
            "cadence": "monthly", "start": "2026-03-01", "end": last, "parent": parent,
            "allocations": [
                self._share(ref, number, said, (entities or {}).get(number, number))
                for number, said in shares.items()
            ],
        }  # fmt: skip
        if owner and self._vendor.owner:
            said["owners"] = [self._vendor.owner.format(owner)]
        if later:
            said["phases"] = [
                {"start": "2026-03-01", "end": "2026-03-31", "amount": amount},
                {"start": "2026-04-01", "end": last, "amount": later},
            ]
        return said

    def _share(self, budget: str, number: int, amount: str, entity: int) -> dict[str, str]:
        type, _, id = self._vendor.entity.partition(":")
        ref = f"{budget}-{number}"
        return {"ref": ref, "entity_type": type, "entity": id.format(entity), "amount": amount}

"""The world that is measured in: an ERP's files, and a Brex that already holds what they say.

Everything is the same each time. Files are written row by row, so that this process stays small:
the kernel counts a parent's memory into the peak of the children it starts.
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost
from benchmarks.sides import NOW, Side
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.brex.wire import POLICY
from trueup.sample import ALLOCATION_COLUMNS, BUDGET_COLUMNS

SYNC = "erp-to-brex"
DAY = "2026-03-15"
TOKEN = BrexSandbox.CREDENTIAL

_SETTINGS = """\
[systems.erp]
connector = "file"
path = "{erp}/budgets.csv"
{allocations}
[systems.brex]
connector = "brex"
base_url = "{url}"
rate_limit = "1000000/1s"
token = "env:BREX_TOKEN"

[syncs.{sync}]
source = "erp"
target = "brex"
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder in which one side works with the Brex at `url`: its settings, and its memory."""

    side: Side
    folder: Path
    url: str

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "trueup.toml"

    def cost(self, *arguments: str) -> Cost:
        """What a command of Trueup costs here."""
        said = ("-m", "trueup", *arguments, "--config", str(self.settings))
        return self.side.cost(*said, BREX_TOKEN=TOKEN)

    def plan(self, *options: str) -> Cost:
        """What planning the sync costs."""
        return self.cost("plan", SYNC, "--as-of", DAY, *options)

    def unchanged(self) -> Cost:
        """What planning the sync costs; that anything would change is an error."""
        return self.plan("--detailed-exitcode")

    def adopt(self) -> Cost:
        """What a first run costs that finds everything there, and links it."""
        self.forget()
        return self.cost("run", SYNC, "--as-of", DAY)

    def forget(self) -> None:
        """Remember nothing any more."""
        for file in self.folder.glob("trueup.db*"):
            file.unlink()


@contextmanager
def desks(
    sides: Sequence[Side], budgets: int, shares: int = 0, *, mirrored: bool = True
) -> Iterator[list[Desk]]:
    """A desk for each side, all of them with one ERP and one Brex between them.

    Brex holds what the ERP says where that is `mirrored`, else nothing.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_erp(folder, budgets, shares)
        seed = folder / "seed.json" if mirrored else None
        if seed:
            write_seed(seed, budgets, shares)
        with brex(seed) as url:
            yield [_desk(side, folder, index, url) for index, side in enumerate(sides)]


def _desk(side: Side, erp: Path, index: int, url: str) -> Desk:
    desk = Desk(side, erp / f"desk-{index}", url)
    desk.folder.mkdir()
    shared = (erp / "allocations.csv").exists()
    allocations = f'allocations = "{erp}/allocations.csv"\n' if shared else ""
    text = _SETTINGS.format(erp=erp, allocations=allocations, url=url, sync=SYNC)
    desk.settings.write_text(text, encoding="utf-8")
    return desk


def write_erp(folder: Path, budgets: int, shares: int = 0) -> None:
    """`budgets.csv` with a row each, and with `shares` allocations of each `allocations.csv`."""
    with (folder / "budgets.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(BUDGET_COLUMNS)
        for number in range(budgets):
            writer.writerow(_budget_row(number))
    if not shares:
        return
    with (folder / "allocations.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(ALLOCATION_COLUMNS)
        for number in range(budgets):
            for share in range(shares):
                ref = _share_ref(number, share)
                cents = _cents(number) // shares
                writer.writerow((_ref(number), ref, "user", _user(share), _plain(cents), "active"))


def write_seed(path: Path, budgets: int, shares: int = 0) -> None:
    """What a sandbox of Brex holds once all of that ERP has been mirrored into it."""
    rows = map(_brex_budget, range(budgets))
    limits = (
        _brex_limit(number, share, shares) for number in range(budgets) for share in range(shares)
    )
    with path.open("w", encoding="utf-8") as file:
        file.write('{"budgets": [')
        _write_rows(file, rows)
        file.write('], "spend_limits": [')
        _write_rows(file, limits)
        file.write("]}")


@contextmanager
def brex(seed: Path | None = None) -> Iterator[str]:
    """The address of a Brex sandbox without a limit; see `sandbox`."""
    options = ["--rate-limit", "off", *(["--seed", str(seed)] if seed else [])]
    with sandbox("brex", *options) as url:
        yield url


@contextmanager
def sandbox(vendor: str, *options: str) -> Iterator[str]:
    """The address of a vendor's sandbox in a process of its own, which ends with the block.

    It is this checkout's, whichever side calls it.
    """
    # Our users are made up: nobody may look them up, and nobody refuses them.
    unknown = ["--switch", "known_users_only=false", "--switch", "reads_users=false"]
    lenient = unknown if vendor == "brex" else []
    command = [
        sys.executable,
        "-m",
        "connectors.sandbox",
        vendor,
        "--with-parent",
        *lenient,
        *options,
    ]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=NOW.environment())
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split()[1]
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def _write_rows(file: Any, rows: Iterator[dict[str, Any]]) -> None:
    first = [json.dumps(row) for row in islice(rows, 1)]
    file.writelines(chain(first, (f",\n{json.dumps(row)}" for row in rows)))


def _ref(number: int) -> str:
    return f"CC-{number:06}"


def _share_ref(number: int, share: int) -> str:
    return f"{_ref(number)}-{share}"


def _user(share: int) -> str:
    return f"cuuser_{share:04}"


def _cents(number: int) -> int:
    return 1_000_000 + number * 7919 % 900_000


def _plain(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _id(prefix: str, ref: str) -> str:
    """As a vendor gives them: in no order that ours could follow."""
    return f"{prefix}_{blake2b(ref.encode(), digest_size=12).hexdigest()}"


def _budget_row(number: int) -> tuple[object, ...]:
    return (
        _ref(number), f"Cost centre {number}", f"Operating budget of cost centre {number}", "USD",
        _plain(_cents(number)), "monthly", "2026-01-01", "2026-12-31", "active", "",
        _user(number % 50),
    )  # fmt: skip


def _brex_budget(number: int) -> dict[str, Any]:
    said = f"Operating budget of cost centre {number}"
    return {
        "budget_id": _id("budget", _ref(number)),
        "name": f"Cost centre {number}",
        "description": f"{said} [trueup:{_ref(number)}]",
        "parent_budget_id": "budget_root",
        "owner_user_ids": [_user(number % 50)],
        "period_recurrence_type": "MONTHLY",
        "start_date": "2026-01-01",
        "end_date": "2026-12-31",
        "amount": {"amount": _cents(number), "currency": "USD"},
    }


def _brex_limit(number: int, share: int, shares: int) -> dict[str, Any]:
    ref = _share_ref(number, share)
    money = {"amount": _cents(number) // shares, "currency": "USD"}
    return {
        "id": _id("spend_limit", ref),
        "name": _user(share),
        "description": f"[trueup:{ref}]",
        "parent_budget_id": _id("budget", _ref(number)),
        "period_recurrence_type": "PER_MONTH",
        "start_date": "2026-01-01",
        "end_date": "2026-12-31",
        "authorization_settings": {
            "base_limit": money,
            "authorization_type": "HARD",
            "rollover_refresh_rate": "OFF",
        },
        "member_user_ids": [_user(share)],
        "expense_policy_id": POLICY,
    }

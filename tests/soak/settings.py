"""The settings of a soak: one file and one sync for each vendor, on one state."""

from collections.abc import Iterable
from pathlib import Path

from tests.scenarios.mortal_vendors import VENDORS
from tests.soak.vendors import Vendor

ROOT = Path(__file__).parent.parent.parent

_STATE = '[state]\nurl = "env:SOAK_STATE"\n'
_SYNC = """
[systems.erp-{name}]
connector = "file"
path = "{name}.json"

[systems.{name}]
connector = "{name}"
base_url = "{url}"
rate_limit = "100000/1m"
{own}

[syncs.to-{name}]
source = "erp-{name}"
target = "{name}"
on_remove = "{remove}"
on_conflict = "source"
parallel = {parallel}
schedule = "every {seconds} seconds"

[syncs.to-{name}.guard]
max_changes = "off"
max_removals = "off"
max_money = "off"
max_budget_change = "off"
"""


def settings(vendors: Iterable[Vendor], seconds: int) -> str:
    """The file's text; the n-th sync has 1, 4, 1, … writes at once."""
    text = _STATE
    for number, vendor in enumerate(vendors):
        told = VENDORS[vendor.name]
        own = told.own.replace("env:TRUEUP_TEST_SECRET", f"env:{secret_of(vendor.name)}")
        text += _SYNC.format(
            name=vendor.name, url=vendor.url + told.path, own=own, seconds=seconds,
            remove=told.removes[-1].value, parallel=(1, 4)[number % 2],
        )  # fmt: skip
    return text


def secrets(vendors: Iterable[Vendor], state: str) -> dict[str, str]:
    """What the file refers to."""
    found = {"SOAK_STATE": state, "TRUEUP_TEST_KEY": "app_key_sandbox"}
    return found | {secret_of(each.name): each.credential for each in vendors}


def secret_of(name: str) -> str:
    return f"SOAK_{name.upper()}"

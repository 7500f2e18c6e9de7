"""Which connectors there are, by the name that a settings file uses.

Ours stand in the table; others come from installed packages, by the entry point group
``trueup.connectors``. A connector is imported when it is first asked for; of ours, the settings
alone where no more is asked, since calling a vendor takes four times as much to import.
"""

from importlib import import_module
from importlib.metadata import entry_points

from connectors.contract.interface import Connector
from connectors.contract.settings import SystemSettings

BUILT_IN = {
    "bill": "Bill",
    "brex": "Brex",
    "erpnext": "Erpnext",
    "file": "File",
    "kaireon": "Kaireon",
    "memory": "Memory",
    "sql": "Sql",
    "odoo": "Odoo",
    "tryton": "Tryton",
    "vantage": "Vantage",
    "vtex": "Vtex",
}
"""The class of each of ours, in its folder's `connector`; its settings are in `declared`."""

_FOLDERS = __package__.rpartition(".")[0]


def names() -> list[str]:
    """All connector names that a settings file may use, sorted."""
    return sorted({*BUILT_IN, *(found.name for found in entry_points(group="trueup.connectors"))})


def load(name: str) -> type[Connector]:
    """The connector class of that name; raises `KeyError` when there is none."""
    if name in BUILT_IN:
        loaded = getattr(import_module(f"{_FOLDERS}.{name}.connector"), BUILT_IN[name])
    else:
        (found,) = entry_points(group="trueup.connectors", name=name) or (None,)
        if found is None:
            raise KeyError(name)
        loaded = found.load()
    assert issubclass(loaded, Connector)
    cls: type[Connector] = loaded
    return cls


def settings(name: str) -> type[SystemSettings]:
    """The settings of the connector of that name; raises `KeyError` when there is none."""
    if name not in BUILT_IN:
        return load(name).Settings
    declared = import_module(f"{_FOLDERS}.{name}.declared")
    found: type[SystemSettings] = getattr(declared, f"{BUILT_IN[name]}Settings")
    return found

"""Which connectors there are, by the name that a settings file uses.

Ours stand in the table; others come from installed packages, by the entry point group
``trueup.connectors``. A connector is imported when it is first asked for.
"""

from importlib import import_module
from importlib.metadata import entry_points

from connectors.contract.interface import Connector

BUILT_IN = {
    "bill": "connectors.bill:Bill",
    "brex": "connectors.brex:Brex",
    "file": "connectors.file:File",
    "kaireon": "connectors.kaireon:Kaireon",
    "memory": "connectors.memory:Memory",
    "vantage": "connectors.vantage:Vantage",
    "vtex": "connectors.vtex:Vtex",
}


def names() -> list[str]:
    """All connector names that a settings file may use, sorted."""
    return sorted({*BUILT_IN, *(found.name for found in entry_points(group="trueup.connectors"))})


def load(name: str) -> type[Connector]:
    """The connector class of that name; raises `KeyError` when there is none."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        loaded = getattr(import_module(module), attribute)
    else:
        (found,) = entry_points(group="trueup.connectors", name=name) or (None,)
        if found is None:
            raise KeyError(name)
        loaded = found.load()
    assert issubclass(loaded, Connector)
    cls: type[Connector] = loaded
    return cls

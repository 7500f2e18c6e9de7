"""The capability table: what each connector can hold, from its own declaration."""

from typing import Any

from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS
from canonical.kind import Kind
from connectors.contract import registry
from connectors.contract.capabilities import Capabilities, Hold


def capability_table() -> dict[str, dict[str, Any]]:
    """Per connector: how it holds each field, its cadences, what removing means, and more."""
    return {name: _row(registry.load(name).capabilities) for name in registry.names()}


def _row(able: Capabilities) -> dict[str, Any]:
    return {
        "budget": {name: able.budget.get(name, Hold.DROPPED).value for name in BUDGET_FIELDS},
        "allocation": {
            name: able.allocation.get(name, Hold.DROPPED).value for name in ALLOCATION_FIELDS
        },
        "cadences": sorted(able.cadences),
        "statuses": sorted(able.statuses),
        "entity types": "any"
        if able.entity_types is None
        else ", ".join(sorted(able.entity_types)),
        "periods held": able.phasing.value,
        "removal": able.removal.value,
        "idempotency key": _key(able),
        "stamp": ", ".join(kind.value for kind in Kind if kind in able.stamps) or "none",
        "unit of writing": able.unit_of_writing,
        "rate limit": able.rate_limit or "none",
        "actuals": "yes" if able.reads_actuals else "no",
        "spent by share": "yes" if able.spent_by_share else "no",
        "keeps actuals of": ", ".join(f"{kind}s" for kind in Kind if kind in able.takes_actuals)
        or "none",
        "one currency": "yes" if able.one_currency else "no",
    }


def _key(able: Capabilities) -> str:
    hours = int(able.key_lifetime.total_seconds() // 3600)
    return f"for {hours} hours" if hours else "none"


def table_text(table: dict[str, dict[str, Any]]) -> str:
    """The table as Markdown, one column per connector."""
    names = list(table)
    rows = [["", *names], ["---"] * (len(names) + 1)]
    for group, fields in (("budget", BUDGET_FIELDS), ("allocation", ALLOCATION_FIELDS)):
        rows += [
            [f"{group}: {field}", *(table[name][group][field] for name in names)]
            for field in fields
        ]
    others = [key for key in table[names[0]] if key not in ("budget", "allocation")]
    for key in others:
        said = [table[name][key] for name in names]
        rows.append([key, *(", ".join(s) if isinstance(s, list) else str(s) for s in said)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

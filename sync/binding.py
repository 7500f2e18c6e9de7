"""Binding: a plan is good for the accounts and the settings that it was made for, and no others."""

from collections.abc import Mapping

from canonical.change import Plan
from connectors.contract.interface import Connector
from sync.spec import SyncSpec


class ForeignPlan(Exception):
    """A saved plan was made for something else. The message says for what."""


def binding(spec: SyncSpec, source: Connector, target: Connector) -> dict[str, str]:
    """What a plan is bound to, by name; no secret is in it.

    Limits are not: they say when to stop, not what to do.
    """
    return {
        "source": source.settings.account(source.name, source.runtime.base),
        "target": target.settings.account(target.name, target.runtime.base),
        "on_remove": spec.on_remove.value,
        "accept": ", ".join(sorted(spec.accept)),
        "stamp": str(spec.stamp).lower(),
        "horizon_months": str(spec.horizon_months),
        "past_months": str(spec.past_months),
        "select": str(spec.select or ""),
        "fields": str(spec.fields),
        "rates": spec.rates.said if spec.rates else "",
    }


def ensure_bound(plan: Plan, now: Mapping[str, str]) -> None:
    """Raises `ForeignPlan` where something that the plan is bound to is otherwise now."""
    moved = [
        f"{name} {was or 'nothing'} (now {now.get(name) or 'nothing'})"
        for name, was in plan.bound_to.items()
        if now.get(name) != was
    ]
    if moved:
        raise ForeignPlan(f"the plan was made for {', '.join(moved)}: plan again")

"""Allowed: guards that somebody switched off for one run, or gave another limit for it.

Each is said as a rule's name, or as RULE=LIMIT with the limit as in the settings; so it stands in
plans, in approvals and in the audit.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from sync.spec import Limits, limit_of


def rule_of(allowed: str) -> str:
    """The rule that it is about."""
    return allowed.partition("=")[0].strip()


def ceiling_of(allowed: str) -> str | None:
    """The limit that the rule gets, None where it is switched off."""
    _, equals, text = allowed.partition("=")
    return text.strip() if equals else None


def in_force(*allowed: Iterable[str]) -> tuple[str, ...]:
    """One for each rule: that which is said last."""
    return tuple({rule_of(each): each for some in allowed for each in some}.values())


def switched_off(allowed: Collection[str]) -> frozenset[str]:
    """The rules that are switched off."""
    said = in_force(allowed)
    return frozenset(rule_of(each) for each in said if ceiling_of(each) in (None, "off"))


def ceilings(allowed: Collection[str]) -> frozenset[str]:
    """The rules that get another limit."""
    return frozenset(map(rule_of, allowed)) - switched_off(allowed)


def with_ceilings(limits: Limits, allowed: Collection[str]) -> Limits:
    """The limits of a run. Of two for one rule the one that is said last counts."""
    for each in in_force(allowed):
        text = ceiling_of(each)
        if text is not None and text != "off":
            limits = replace(limits, **_limit(rule_of(each), text))
    return limits


def _limit(rule: str, text: str) -> dict[str, Any]:
    limit = limit_of(text)
    if rule == "min_listing":
        return {rule: None if limit is None else limit.share}
    return {rule: limit}

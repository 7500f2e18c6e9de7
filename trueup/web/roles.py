"""What somebody may do by the settings: by their name, or by a group that they are in."""

from collections.abc import Collection
from dataclasses import dataclass

from config.console import Roles
from trueup.web.person import Person


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as whoever vouches for them says it."""

    name: str
    groups: frozenset[str] = frozenset()


def person_of(identity: Identity, roles: Roles) -> Person | None:
    """What they may do; None where the settings name neither them nor one of their groups."""
    operates, approves = (_is_in(identity, each) for each in (roles.operator, roles.approver))
    if not (operates or approves or _is_in(identity, roles.viewer)):
        return None
    return Person(identity.name, may_operate=operates, may_approve=approves)


def _is_in(identity: Identity, members: Collection[str]) -> bool:
    """A name that looks like a group is in none: whoever may choose their name chooses no role."""
    named = not identity.name.startswith("group:") and identity.name != "*"
    groups = {f"group:{each}" for each in identity.groups}
    return "*" in members or (named and identity.name in members) or bool(groups & {*members})

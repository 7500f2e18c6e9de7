"""Account: whether the target still is the account whose objects the state knows.

Ids of two accounts coincide easily, those of staging and production above all, and what goes by
links would then pair strangers. So where a target's address is not the one that the state knows,
its objects have to vouch for it: a renamed host, or a gateway, still shows them as they were.
"""

from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS
from canonical.kind import Kind
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.observe import Observation, observe
from sync.state.ledger import Ledger, Link
from sync.state.owners import OtherAccount, Owners

_NAME = {
    Kind.BUDGET: BUDGET_FIELDS.index("name"),
    Kind.ALLOCATION: ALLOCATION_FIELDS.index("entity"),
}


def ensure_known(sync: str, target: Connector, ledger: Ledger, owners: Owners) -> None:
    """Raises `OtherAccount` where the address is new and fewer than half of what is linked is there
    as it was last seen; raises what listing raises. Asks the target nothing at a known address."""
    before = owners.moved_from
    linked = ledger.count() if before is not None else 0
    if not linked:
        return
    seen = observe(target, ledger, owners)
    known = seen.clean.count + _recognised(seen, ledger)
    if 2 * known < linked:
        raise OtherAccount(
            f"{sync}: the state knows {linked} objects of the account {before}, and"
            f" {owners.account} shows {known or 'none'} of them as they were: it looks like another"
            " account. Keep a state of its own for each account (`[state] url`), or give the sync"
            f" another name; if it is the same account, `trueup repoint {sync}` says so"
        )


def _recognised(seen: Observation, ledger: Ledger) -> int:
    """How many that differ bear the stamp or the name, or are for the entity, as they were."""
    found = 0
    for link, agreed in ledger.agreements(list(seen.drifted)):
        name, values = _NAME[link.kind], seen.last_seen(link.id, agreed)
        found += _is_stamped(seen.drifted[link.id], link) or agreed.echo[name] == values[name]
    return found


def _is_stamped(item: Observed, link: Link) -> bool:
    return item.stamp is not None and item.stamp == link.ref

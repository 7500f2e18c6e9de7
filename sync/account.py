"""Account: whether the target still is the account whose objects the state knows.

Ids of two accounts coincide easily, those of staging and production above all, and what goes by
links would then pair strangers. So where a target's address is not the one that the state knows,
its objects have to vouch for it: a renamed host, or a gateway, still shows them as they were.
"""

from canonical.change import Kind
from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS, facts
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.observe import Observation, observe
from sync.state.ledger import Ledger, Link
from sync.state.owners import OtherAccount, Owners

_BATCH = 1000
_NAME = {
    Kind.BUDGET: BUDGET_FIELDS.index("name"),
    Kind.ALLOCATION: ALLOCATION_FIELDS.index("entity"),
}


def ensure_known(sync: str, target: Connector, ledger: Ledger, owners: Owners) -> None:
    """Raises `OtherAccount` where the address is new and fewer than half of what is linked is there
    as it was last seen; raises what listing raises. Asks the target nothing at a known address."""
    before, linked = owners.moved_from, ledger.count()
    if before is None or not linked:
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
    ids = list(seen.drifted)
    found = 0
    for start in range(0, len(ids), _BATCH):
        some = ids[start : start + _BATCH]
        links, baselines = ledger.by_ids(some), ledger.baselines(some)
        for id in some:
            item, link = seen.drifted[id], links[id]
            echo, values = baselines[id].echo, facts(item.model)
            name = _NAME[link.kind]
            found += _is_stamped(item, link) or echo[name] == values[name]
    return found


def _is_stamped(item: Observed, link: Link) -> bool:
    return item.stamp is not None and item.stamp == link.ref

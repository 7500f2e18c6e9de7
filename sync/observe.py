"""Observe: read the target once, page by page, and compare each object with what was last agreed.

Only what differs from the ledger is kept; of the rest a bit per link remains. So memory follows the
number of differences, not the number of budgets.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import Facts, facts, fingerprint
from canonical.kind import Kind, kind_of
from canonical.problem import Problem
from canonical.traces import Traces
from connectors.contract.interface import Connector
from connectors.contract.records import Known, Observed, Page
from sync.state.ledger import Ledger, LinkFingerprint
from sync.state.owners import Owned, Owners


class BitSet:
    """A set of small whole numbers, one bit each."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self.count = 0

    def add(self, number: int) -> bool:
        """Add `number`; false where it was in already."""
        index, bit = number >> 3, 1 << (number & 7)
        if index >= len(self._bits):
            self._bits.extend(bytes(index + 1024 - len(self._bits)))
        if self._bits[index] & bit:
            return False
        self._bits[index] |= bit
        self.count += 1
        return True

    def __contains__(self, number: int) -> bool:
        index = number >> 3
        return index < len(self._bits) and bool(self._bits[index] & (1 << (number & 7)))


@dataclass(slots=True)
class Observation:
    """One complete reading of the target, against the ledger.

    `clean` holds the links whose objects are as last agreed, `drifted` the objects of those that
    are not, `unreadable` the links whose objects came as a problem, or may be a part of one;
    `suspects` are the problems that may be something else as well, `above` the ids of budgets that
    an unreadable allocation may belong to. `strangers` are objects without
    a link, by id, `spent` what the listing showed as spent, by target id. `versions` are those that
    the listing showed. `owned` are objects that another sync links, by id,
    each with that link; where there are such syncs, `unread_within` are the ids of budgets whose
    allocations were not read. `stamps` are the kinds that bear one.
    """

    clean: BitSet = field(default_factory=BitSet)
    drifted: dict[int, Observed] = field(default_factory=dict)
    unreadable: BitSet = field(default_factory=BitSet)
    above: set[str] = field(default_factory=set)
    suspects: dict[Kind, list[Problem]] = field(default_factory=lambda: defaultdict(list))
    strangers: dict[Kind, dict[str, Observed]] = field(default_factory=lambda: defaultdict(dict))
    problems: list[Problem] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    spent: dict[str, Decimal] = field(default_factory=dict)
    owned: dict[Kind, dict[str, tuple[Observed, Owned]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    unread_within: set[str] = field(default_factory=set)
    stamps: frozenset[Kind] = frozenset(Kind)

    def misplaces(self, item: Observed) -> bool:
        """Whether the object bears a stamp where this target is to have none any more."""
        return item.stamp is not None and kind_of(item.model) not in self.stamps

    def has(self, link: int) -> bool:
        """Whether the linked object was in the listing, readable or not."""
        return link in self.clean or link in self.drifted or link in self.unreadable

    def last_seen(self, link: int, agreed: Baseline) -> Facts:
        """The facts of a linked object as it was listed; as they were `agreed` where nothing moved,
        or where it was not listed to be read."""
        item = self.drifted.get(link)
        return agreed.echo if item is None else facts(item.model)

    def renamed(self, kind: Kind, link: int, item: Observed) -> None:
        """The linked object was listed as a stranger: the target gives it another id now."""
        self.strangers[kind].pop(item.id, None)
        self.drifted[link] = item

    def suspect(
        self, kind: Kind, ref: str, model: Budget | Allocation, container: str | None
    ) -> Problem | None:
        """The first record that cannot be read and may be this object, which has no link."""
        for each in self.suspects[kind]:
            if each.may_be(ref, model, container):
                return each
        return None

    @property
    def vouched(self) -> Mapping[str, str]:
        """The versions that may be remembered: not of what has strangers, who would be told of once
        and, as nobody reads them again, never after."""
        inside = {item.container for item in self.strangers[Kind.ALLOCATION].values()}
        inside |= self.strangers[Kind.BUDGET].keys()
        return {id: version for id, version in self.versions.items() if id not in inside}

    def shown(self) -> int:
        """How many linked objects the listing showed, readable or not."""
        return self.clean.count + len(self.drifted) + self.unreadable.count


class Agreed:
    """What the ledger vouches for: budgets at the version at which both sides last agreed.

    It does not for those whose details were last read before `since`.
    """

    def __init__(self, ledger: Ledger, since: datetime | None = None) -> None:
        self._ledger, self._since = ledger, since

    def unchanged(self, versions: Mapping[str, str]) -> Collection[str]:
        """Those budgets that still show that version."""
        agreed = self._ledger.versions(list(versions), self._since)
        return {id for id, version in versions.items() if agreed.get(id) == version}


def observe(
    target: Connector, ledger: Ledger, owners: Owners, known: Known | None = None
) -> Observation:
    """Read every object of the target that is not `known` to be as it was.

    Raises what listing raises: a part of it proves nothing.
    """
    observation = Observation(stamps=target.capabilities.stamps)
    for kind in Kind:
        for page in target.list(kind, known=known):
            _take(observation, kind, page, ledger)
            if owners.names:
                _take_owned(observation, kind, page, owners)
    return observation


def add(observation: Observation, kind: Kind, item: Observed, ledger: Ledger) -> None:
    """Take a linked object that was read by itself as if a listing had shown it."""
    _take(observation, kind, Page([item]), ledger)


def _take_owned(observation: Observation, kind: Kind, page: Page, owners: Owners) -> None:
    """What another sync links is no stranger."""
    strangers, owned = observation.strangers[kind], observation.owned[kind]
    new = [item.id for item in page.items if item.id in strangers]
    for id, owner in owners.by_targets(kind, new).items() if new else ():
        owned[id] = strangers.pop(id), owner
    observation.unread_within.update(page.unchanged_within)


def _take(observation: Observation, kind: Kind, page: Page, ledger: Ledger) -> None:
    ids = [item.id for item in page.items]
    ids.extend(id for problem in page.problems for id in _ids(problem))
    ids.extend(page.unchanged)
    links = ledger.echoes(kind, ids)
    for item in page.items:
        _take_item(observation, kind, item, links.get(item.id))
    for problem in page.problems:
        _take_problem(observation, kind, problem)
        for id in _ids(problem) & links.keys():
            observation.unreadable.add(links[id].id)
        if problem.ref not in links or (problem.traces and problem.traces.ids):
            observation.suspects[kind].append(problem)  # what is linked is that and nothing else
    _assume(observation, [links[id].id for id in page.unchanged if id in links])
    if page.unchanged_within:
        budgets = ledger.by_targets(Kind.BUDGET, page.unchanged_within)
        _assume(observation, ledger.within([link.ref for link in budgets.values()]))


def _take_problem(observation: Observation, kind: Kind, problem: Problem) -> None:
    traces = problem.traces or Traces()
    if not traces.ids or problem not in observation.problems:  # both kinds' listings may show it
        observation.problems.append(problem)
    if kind is Kind.ALLOCATION:
        observation.above.update(traces.containers or ())


def _ids(problem: Problem) -> frozenset[str]:
    """The objects that a problem is about, as far as it says so."""
    also = problem.traces.ids if problem.traces else frozenset()
    return also | {problem.ref} if problem.ref else also


def _assume(observation: Observation, links: Sequence[int]) -> None:
    for link in links:
        observation.clean.add(link)


def _take_item(
    observation: Observation, kind: Kind, item: Observed, link: LinkFingerprint | None
) -> None:
    if item.actual is not None:
        observation.spent[item.id] = item.actual.spent.value
    if item.version is not None:
        observation.versions[item.id] = item.version
    if link is None:
        observation.strangers[kind][item.id] = item
        return
    if observation.has(link.id):
        return  # the listing moved between two pages and shows it again
    _compare(observation, link, item)


def _compare(observation: Observation, link: LinkFingerprint, item: Observed) -> None:
    as_agreed = fingerprint(facts(item.model)) == link.fingerprint
    if as_agreed and not observation.misplaces(item):
        observation.clean.add(link.id)
    else:
        observation.drifted[link.id] = item

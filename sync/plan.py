"""Plan: read the source once and decide, object by object, what the target needs.

An object whose projection and whose counterpart are both as last agreed costs two fingerprints and
is forgotten. Any other that is linked is reconciled with its counterpart (`sync.reconcile`), what
has no link is admitted (`sync.admit`), and what the source no longer has is removed
(`sync.remove`).
"""

from collections.abc import Iterator, Sequence
from datetime import date

from canonical.compare import Baseline
from canonical.facts import fingerprint
from canonical.kind import Kind
from canonical.side import Side
from canonical.waiting import Waiting
from connectors.contract.errors import Unseen
from connectors.contract.interface import Connector
from connectors.contract.records import Page
from sync.additions import Additions
from sync.admit import Admission
from sync.claim import Claims
from sync.counterpart import Counterparts
from sync.decide import Wanted
from sync.decided import Decisions, NoDecisions, Take
from sync.desire import Desires
from sync.doable import barring
from sync.fields import OnNew
from sync.findings import Findings
from sync.identify import Identifier
from sync.intake.pages import Intake
from sync.intake.select import key_of
from sync.match import Key, Matcher
from sync.meant import Meant
from sync.naming import Naming
from sync.observe import BitSet, Observation
from sync.ownership import Ownership
from sync.reconcile import Reconciler
from sync.remove import Removals
from sync.removed import Removed
from sync.renamed import SAID, Hints
from sync.returns import Returns
from sync.scales import Scales
from sync.source_side import SourceSide
from sync.spec import SyncSpec
from sync.state.ledger import Ledger, Link
from sync.strangers import Strangers
from sync.stuck import GONE, NOT_SEEN, UNKNOWN, UNREADABLE, Stuck, unseen
from sync.successor import Successors
from sync.taking import Returning
from sync.twins import twins
from sync.weigh import Weigher


class Planner:
    """Makes one plan. Objects in `waiting` have a write of unknown outcome: they are left alone.

    A `thorough` plan takes nothing on the ledger's word: every object is compared field by field.
    Where `unseen_is_gone`, what the target does not show is believed to be gone. `decisions` are
    what people decided of what waited.
    """

    def __init__(
        self,
        spec: SyncSpec,
        source: Connector,
        target: Connector,
        ledger: Ledger,
        observation: Observation,
        ownership: Ownership,
        as_of: date,
        waiting: frozenset[tuple[Kind, Key]] = frozenset(),
        *,
        thorough: bool = False,
        unseen_is_gone: bool = False,
        decisions: Decisions | None = None,
        returns: Returning | None = None,
        side: SourceSide | None = None,
    ) -> None:
        """With the source's `side`, or where `returns` are given, the source is to have what the
        target has; without, the target's values are accepted."""
        decisions = decisions or NoDecisions()
        able, who, stuck = target.capabilities, Identifier(target), Stuck()
        self._able, self._ledger, self._seen = able, ledger, observation
        self._source, self._target = source.name, target.name
        self._intake = Intake(spec, source, target, ledger, as_of)
        self._elders, self._waiting, self._thorough = ownership.elders, waiting, thorough
        self._mentioned, self._stuck = BitSet(), stuck
        self._ignores_strangers = spec.fields.on_new is OnNew.IGNORE
        self._links = {kind: ledger.count(kind) for kind in Kind}
        self.found = found = Findings(problems=list(observation.problems), scales=Scales(as_of))
        self._desires = Desires(spec, source, target, as_of, found)
        self._there = there = Counterparts(
            target, ledger, observation, found, unseen_is_gone=unseen_is_gone
        )
        self._side, self._returns = side, None
        parts = spec, source, self._intake, self._desires, there
        if returns is None and side is not None:
            returns = self._returns = Returns(*parts, as_of, found)
        weigher = Weigher(found.scales, as_of, ledger, self._desires)
        self._reconciler = reconciler = Reconciler(
            able,
            observation,
            self._desires,
            there,
            who,
            stuck,
            weigher,
            found,
            spec.fields,
            decisions,
            returns,
            spec.name,
        )
        additions = None
        if side is not None and spec.fields.on_new is OnNew.CREATE:
            additions = Additions(*parts, reconciler.held, waiting, as_of, found)
        meant = Meant(spec.name, decisions.meanings, target, ledger, observation)
        self._meant = meant
        new = spec.fields.on_new
        self._strangers = Strangers(new, observation, there, found, additions, side, meant.unlinked)
        words, made = spec.fields, decisions
        self._removed = None if words.is_mirror else Removed(words, reconciler.held, made)
        self._claims = Claims(target, ledger, ownership, there, reconciler, stuck, waiting, found)
        self._successors = successors = Successors(
            spec.name,
            spec.on_remove,
            able,
            ledger,
            observation,
            self._mentioned,
            as_of.isoformat(),
            self._elders,
            decisions,
        )
        self._admission = Admission(
            target,
            observation,
            there,
            self._claims,
            reconciler,
            who,
            stuck,
            successors,
            weigher,
            waiting,
            decisions,
            meant,
            found,
        )
        self._removals = Removals(
            spec.on_remove,
            able,
            ledger,
            observation,
            there,
            ownership,
            successors.disputed,
            weigher,
            self._intake.left,
            found,
            self._removed,
        )

        is_there = successors.is_there
        self._hints = Hints(spec.name, ledger, observation, self._mentioned, is_there)
        self._naming = Naming(target, ledger, observation, there, stuck, found)

    def plan(self) -> Findings:
        """Decide. Raises what listing the source, or confirming that an object is gone, raises."""
        for kind in Kind:
            matcher = Matcher(kind, self._meant.free(kind), self._able.identity)
            newcomers: dict[Key, Wanted] = {}
            for page in self._intake.pages(kind):
                without_link = list(self._page(kind, page))
                for wanted in self._admission.recognise(matcher, kind, without_link):
                    newcomers.setdefault(wanted.key, wanted)  # a page may repeat a record
            self._admission.admit(matcher, kind, list(newcomers.values()))
            self._report_twins(kind)
        self.found.changes = self._stuck.left_in_place(self.found.changes)
        trusted = not any(each.system == self._source for each in self.found.problems)
        self._await_newborn()
        self._removals.remove(self._mentioned, trusted=trusted)
        self.found.left = self._intake.left.links.count
        self.found.selected = self._intake.selected
        self.found.rates = self._intake.rates
        self.found.problems.extend(self._intake.problems())
        if trusted and self._mentioned.count < sum(self._links.values()):
            self._hint()
        self._naming.settle()
        self._strangers.settle(trusted=trusted)
        return self.found

    def _hint(self) -> None:
        """Say what is new and may be what vanished."""
        told, left = self._successors.told, self._intake.left.links
        hints = self._hints.of(self.found.changes, told, left, self._elders)
        self.found.renames = [*self._successors.renames, *hints][:SAID]

    def _await_newborn(self) -> None:
        """What was just made in the source, and is not listed there yet, is not dropped."""
        for id in self._side.newborn if self._side else ():
            if self._mentioned.add(id):
                self.found.waiting += 1

    def _page(self, kind: Kind, page: Page) -> Iterator[Wanted]:
        """Judge one page; yields what has no counterpart by link."""
        self.found.problems.extend(page.problems)
        self.found.source_seen += len(page.items)
        keys = [key_of(item) for item in page.items]
        links = self._ledger.desires(kind, keys) if self._links[kind] else {}
        differing: list[tuple[Wanted, int]] = []
        tells = self._intake.tells
        for item, key in zip(page.items, keys, strict=True):
            wanted = self._desires.of(kind, key, item)
            if wanted is None:
                continue
            if tells:
                wanted = self._intake.told(wanted)
            link = links.get(key)
            if link is None:
                if self._may_be_ours(wanted):
                    self.found.waiting += 1
                    self._stuck.add(kind, key, UNKNOWN)
                else:
                    yield wanted
                continue
            if not self._mentioned.add(link.id):
                continue
            if link.id in self._elders and not self._claims.passes(wanted, self._elders[link.id]):
                continue
            as_agreed = (
                link.id in self._seen.clean and fingerprint(wanted.all_facts) == link.fingerprint
            )
            if as_agreed and not self._thorough:
                self.found.unchanged += 1
                self.found.note(wanted.losses)
                self.found.scales.keep(kind, wanted.stated)
            else:
                differing.append((wanted, link.id))
        yield from self._judge(kind, differing)

    def _may_be_ours(self, wanted: Wanted) -> bool:
        """Whether a create in the source, whose answer was lost, may have made it."""
        above = wanted.key[0]
        return self._side is not None and self._side.is_being_made(
            wanted.stated, above, Side.SOURCE
        )

    def _judge(self, kind: Kind, differing: Sequence[tuple[Wanted, int]]) -> Iterator[Wanted]:
        """Reconcile what is linked and not as agreed; yields what is gone from the target."""
        if not differing:
            return
        ids = [id for _, id in differing]
        links, baselines = self._ledger.by_ids(ids), self._ledger.baselines(ids)
        for wanted, id in differing:
            link, baseline = links[id], baselines[id]
            if (kind, wanted.key) in self._waiting:
                self.found.waiting += 1
                self._stuck.add(kind, wanted.key, UNKNOWN)
                continue
            if id in self._seen.unreadable:
                self._stuck.add(kind, wanted.key, UNREADABLE)
                continue
            if self._stuck.is_left_alone(wanted.key[0]):
                continue
            model = wanted.model if wanted.reckoned else None
            try:
                there = self._there.linked(kind, link, baseline, model)
            except Unseen as error:
                self._stuck.add(kind, wanted.key, NOT_SEEN)
                self.found.problems.append(unseen(self._target, link, error))
                continue
            if there is None and not self._is_made_anew(wanted, link, baseline):
                self._stuck.add(kind, wanted.key, GONE)
            elif there is None:
                self.found.forgotten.append(id)
                self._admission.gone[kind, wanted.key] = link, baseline
                yield wanted
            else:
                self._reconciler.reconcile(wanted, there)

    def _is_made_anew(self, wanted: Wanted, link: Link, agreed: Baseline) -> bool:
        """Whether what the target lost is to be there again: where both sides own it, a person
        says."""
        judged = Take.SOURCE if self._removed is None else self._removed.gone(link, agreed)
        if isinstance(judged, Waiting):
            refused = None if self._returns is None else self._returns.staying(wanted)
            self.found.waits.append(barring(judged, {Take.TARGET: refused}))
        elif judged is Take.TARGET and self._returns is not None:
            self._returns.remove(wanted, link)
        return judged is Take.SOURCE

    def _report_twins(self, kind: Kind) -> None:
        adopted, said = self._there.adopted(kind), self._claims.undecided[kind]
        known = {*adopted, *self._meant.unlinked(kind)}  # of what was unlinked a person knows
        self.found.conflicts.extend(twins(kind, self._seen, self._ledger, known, said))

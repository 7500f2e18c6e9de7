"""The connector contract: what a vendor's file promises to the engine.

Every behaviour has a number; the conformance suite (`connectors.conformance`) tests them by it.

Reading
  1.1  `list` yields every object of a kind exactly once, whatever the page size.
  1.2  A listing that ends without an error is complete, from first page to last.
  1.3  A record that cannot be read comes as a `Problem` in its page, with what it may be; the
       others come as usual.
  1.4  A repeated page token ends the listing with `Malformed`; it never loops.
  1.5  `get` returns what `list` shows for the same id, and raises `Missing` for an unknown id.
  1.6  Reading changes nothing.
  1.7  Within `on(day)` that day is today: for what counts now, and for what is written.
  1.8  Of the entities that it is asked for, `resolve` says by which name a listing will show those
       that it finds, and why a write of those that are unknown will be refused. It changes nothing.
  1.9  `directory` yields everybody of a type exactly once, whatever the page size, by the id that a
       row of `entities` takes; where it cannot be asked `Unsupported` says why. It changes nothing.
Writing
  2.1  `create` returns the object as the vendor stored it; a later `get` equals it.
  2.2  `update` changes the named fields and no other; it returns the object as stored.
  2.3  `retire` and `delete` do what the capabilities say they do; removing twice is no error. That
       a vendor answers "not found" to a removal, or to a listing, does not prove that the object
       is gone: a listing or a read that otherwise works, and does not show it, does.
  2.4  A write the vendor refuses raises `Rejected` and changes nothing.
  2.5  A write whose answer is lost raises `Uncertain`, unless a key made repeating it safe.
  2.6  Where keys are supported, the same key and draft make one object, however often sent.
  2.7  `probe` finds what a lost create left behind, and only that.
  2.8  Every field declared exact reads back as it was written; every other one as declared.
  2.9  `create_many` makes of each draft what `create` would; one that is refused stops no other.
  2.10 Once a call of an operation has had an effect, whatever fails in it later is `Uncertain`; any
       other error has changed nothing.
  2.11 What broke off in the middle is seen again: a create by `probe`, which finishes it, shows it
       as far as it came, or removes it; an update and a removal by the object's id. So the same
       write, or an update of what differs, completes it: nothing is there twice, nothing is left.
  2.12 Where names are unique (`Capabilities.unique`), a write that takes the name of another object
       is refused; it goes through once that has given the name up, also for a temporary one.
  2.13 `record_actuals` says of each row, in their order, that its amount is written, stands there
       already, or is refused, and why. Recording the same again changes nothing, and what broke off
       is completed by it. Amounts of other periods and of other objects stay, and what was budgeted
       is never touched: a listing shows the same before and after.
  2.14 An update of one phase of several leaves the others, and a name, a description, a stamp and
       whatever else was not named stays: also where the draft has no stamp, as that of a source.
Failing
  3.1  A wrong credential raises `Unauthorized` or `Forbidden`, from `check` and every call.
  3.2  A garbled answer raises `Malformed`, a full server `RateLimited`, a broken one `Transient`.
  3.3  No error, log line or representation holds a secret.
Leaving
  4.1  Each call that may change something asks first whether it may leave, once its waits are over
       (`connectors.contract.departure.leaving`; `HttpClient` does it), and lets a refusal through.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, ClassVar

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.facts import Facts
from canonical.kind import Kind
from canonical.loss import Loss
from canonical.spent import Spent
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import ConnectorError, Unsupported
from connectors.contract.probing import probe_by_listing
from connectors.contract.records import (
    Check,
    Draft,
    Known,
    Listed,
    Observed,
    Page,
    Recorded,
    Resolved,
)
from connectors.contract.runtime import Runtime
from connectors.contract.settings import SystemSettings


class Connector(ABC):
    """One system. Safe to use from several threads; `close` it when done."""

    capabilities: ClassVar[Capabilities]
    Settings: ClassVar[type[SystemSettings]]

    def __init__(self, name: str, settings: Any, runtime: Runtime) -> None:
        """`name` is the system's in the settings file; `settings` an instance of `Settings`."""
        self.name = name
        self.settings = settings
        self.runtime = runtime
        self._days: list[date] = []
        self.placed: Callable[[], Mapping[str, str]] = dict
        self.lately: Callable[[], Collection[str]] = frozenset

    @contextmanager
    def on(self, day: date) -> Iterator[None]:
        """Within it `day` is today, in every thread: a run plans and writes for its own day.

        Who asks the clock for the day in a part of his own asks `day` first.
        """
        self._days.append(day)
        try:
            yield
        finally:
            self._days.remove(day)

    def recall(
        self,
        placed: Callable[[], Mapping[str, str]],
        lately: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Where objects hung when both sides last agreed: id → id of the budget above; and what
        other processes wrote within the grace time: its ids, and those of the budgets above.

        For connectors whose vendor may not show it in its answers; asked only then.
        """
        self.placed, self.lately = placed, lately

    def day(self) -> date | None:
        """The day of the run that goes on; None outside of one."""
        return self._days[-1] if self._days else None

    def today(self) -> date:
        """The day of the run that goes on, else the clock's."""
        return self.day() or self.runtime.now().date()

    @abstractmethod
    def check(self) -> Check:
        """The cheapest call that proves address, credential and rights."""

    @abstractmethod
    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Pages of all objects of `kind`, fetched lazily, from `cursor` or the beginning.

        Where a detail costs a call per object, what is `known` to be unchanged need not be read.
        Budgets are listed before allocations; a connector may keep what the first shows it.
        """

    @abstractmethod
    def get(self, kind: Kind, id: str) -> Observed:
        """One object; raises `Missing`, or `Unseen` where what is hidden looks the same."""

    def fit(
        self, model: Budget | Allocation, until: date
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """`model`, already projected by the capabilities, in this system's own terms; and what
        that loses.

        For what capabilities cannot say: periods cut otherwise, an open end held up to `until`.
        Fitting what is fitted changes nothing. Makes no call; asked of every object in each plan.
        """
        return model, ()

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        """Look up entities that new or changed objects name; a budget's owners are users.

        May call, and keeps what it found until budgets are listed anew. Asked while planning,
        never of what is as agreed; also with no entity, where new objects name none.
        """
        return Resolved()

    def directory(self, type: str) -> Iterator[Listed]:
        """Whom of this system an entity of our `type` may be, in use; fetched lazily, page by page.

        Asked only where somebody wants rows of `entities` proposed. Raises `Unsupported` where the
        system has no list of that type, and `Forbidden` where the credential may not see it.
        """
        raise Unsupported(f"{self.name} has no list of whom a {type} may be")

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """What this system, as it is set up, cannot be told about a new `model`.

        Asked while planning, after the target was listed; makes no call.
        """
        return ()

    def disown(
        self, kind: Kind, id: str, model: Budget | Allocation | None, agreed: Facts | None
    ) -> tuple[Observed, str] | None:
        """What of a listed object nobody told us to make: neither `model` wants it, nor was it
        `agreed` (None: the object is new to us). It is told, and left alone by later writes.

        Returns the object without it, and what to tell; None where there is no such part. Asked
        while planning, of what is not as agreed; makes no call.
        """
        return None

    def parts(
        self, kind: Kind, id: str, model: Budget | Allocation, container: str | None
    ) -> Collection[str]:
        """The ids of other listed objects that are a part of the one with that `id`, and that a
        write of `model` to it takes in: what a change of its name left there that broke off.

        Asked while planning; makes no call.
        """
        return ()

    def create(self, draft: Draft, key: str) -> Observed:
        """Make the object and return it as stored. Sent once, unless `key` makes repeating safe."""
        raise Unsupported(f"{self.name} cannot be written to")

    def create_many(
        self, drafts: Sequence[Draft], keys: Sequence[str]
    ) -> Sequence[Observed | ConnectorError]:
        """Make new allocations of one budget, no more than `batch`, in the fewest calls.

        Returns for each draft, in their order, the object as stored or the error that `create`
        would have raised: what is refused or uncertain about one says nothing of the others.
        """
        made: list[Observed | ConnectorError] = []
        for draft, key in zip(drafts, keys, strict=True):
            try:
                made.append(self.create(draft, key))
            except ConnectorError as error:
                made.append(error)
        return made

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """Bring `fields` of the object to what `draft` says and return it as stored.

        The field "stamp" writes the stamp of `draft` in place of the one that is there; without one
        it takes out a stamp where this target bears none any more.
        """
        raise Unsupported(f"{self.name} cannot be written to")

    def retire(self, kind: Kind, id: str, key: str) -> None:
        """Take the object out of use, keeping its history. No error if it is already."""
        raise Unsupported(f"{self.name} cannot retire")

    def delete(self, kind: Kind, id: str, key: str) -> None:
        """Remove the object for good. No error if it is already gone."""
        raise Unsupported(f"{self.name} cannot delete")

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """What creates with lost answers left behind: index into `drafts` → what matches it.

        An index without a match is absent. The default reads the listing once for all drafts and
        takes the stamp, or where none is written the natural key.
        """
        return probe_by_listing(self.list, drafts)

    def actuals(self) -> Iterator[Actual]:
        """What has been spent, per budget; nothing where the vendor does not tell.

        What is left counts what is in use; what was spent through a share that is retired stays
        spent. Of shares the listing tells it (`Observed.actual`).
        """
        return iter(())

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        """Keep what other systems have seen spent, by our refs: the amount in `spent` is all that
        was spent in the row's `period` up to now, and takes the place of what was kept of it.

        Asked only of the kinds in `Capabilities.takes_actuals`, with rows that have a `ref`, a
        `period` and an amount. Several rows may be of one object and period: where the system
        `sums_actuals` they are all there are, and their sum is kept (`canonical.spent.by_place`);
        else each is kept by itself, by its `system` and `target_id`. With `dry_run` it says the
        same and writes nothing.

        A row that has no place there, or is of another currency, is refused and stops no other. An
        error is one of `connectors.contract.errors`: what it leaves is completed by the same rows.
        """
        raise Unsupported(f"{self.name} keeps no actuals")

    def close(self) -> None:
        """Give back connections and files."""

    def __enter__(self) -> "Connector":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

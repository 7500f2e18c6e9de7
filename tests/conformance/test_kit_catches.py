"""The conformance kit fails a connector that breaks the contract, and by the right check."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.loss import Effect, Loss
from canonical.problem import Problem
from canonical.spent import Place, Spent, place_of
from connectors.conformance import ConformanceSuite, World
from connectors.contract import interface
from connectors.contract.capabilities import Hold, Removal, Unique
from connectors.contract.departure import departing, leaving
from connectors.contract.errors import (
    ConnectorError,
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Transient,
    Unauthorized,
    Uncertain,
)
from connectors.contract.records import (
    Check,
    Draft,
    Keeping,
    Listed,
    Observed,
    Page,
    Recorded,
    Resolved,
)
from connectors.memory.connector import Memory

SECRET = "s3cret-of-the-tests"
ADA, AUGUSTA, NOBODY = (Entity("user", each) for each in ("ada", "augusta", "nobody"))
BUDGET, ALLOCATION = Kind.BUDGET, Kind.ALLOCATION
COVERED = {BUDGET: frozenset({"amount"}), ALLOCATION: frozenset({"amount"})}
UNIQUE = {
    BUDGET: Unique(fields=frozenset({"name"})),
    ALLOCATION: Unique(fields=frozenset({"entity"})),
}
_REFUSALS: dict[str, type[ConnectorError]] = {
    "401": Unauthorized,
    "403": Forbidden,
    "404": Missing,
    "429": RateLimited,
    "500": Transient,
    "lost_call": Uncertain,
}


class Faulty(Memory):
    """A memory whose sandbox can fail: every hook of the kit has something to switch."""

    capabilities = replace(Memory.capabilities, batch=3, version_covers=COVERED, unique=UNIQUE)

    def __init__(self) -> None:
        super().__init__()
        self.faults: dict[str, int] = {}
        self.unreadable: set[str] = set()
        self.written = 0
        self.before, self.after = self.arriving, self.answering
        self.how, self.skip, self.times, self.struck, self.late = "", 0, 0, False, False

    def fault(self, kind: str, times: int) -> None:
        if kind == "page_drift":
            raise NotImplementedError(kind)
        self.faults[kind] = times

    def strikes(self, kind: str) -> bool:
        left = self.faults.get(kind, 0)
        self.faults[kind] = left - 1 if left > 0 else left
        return left != 0

    def arriving(self, operation: str, subject: Any) -> None:
        self.written += operation in ("create", "update", "retire", "delete")
        if operation == "create" and subject.model.amount.unit == "SEK":
            raise Rejected("no kronor here")
        if operation in ("create", "update", "retire", "delete"):
            self.step()
        if self.strikes("rate_limit"):
            raise RateLimited("too many calls", after=1)
        if self.strikes("error_before"):
            raise Transient("broken")
        if self.strikes("unauthorized"):
            raise Unauthorized("unknown credential")

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        """Ada is known as Augusta, and nobody is nobody."""
        there = {each: AUGUSTA for each in entities if each == ADA}
        return Resolved(there, {each: "not here" for each in entities if each == NOBODY})

    def create(self, draft: Draft, key: str) -> Observed:
        if isinstance(draft.model, Allocation):
            if draft.model.entity == NOBODY:
                raise Rejected("there is nobody")
            if draft.model.entity == ADA:
                draft = replace(draft, model=structs.replace(draft.model, entity=AUGUSTA))
        return super().create(draft, key)

    def break_off(self, how: str, skip: int, times: int) -> Callable[[], bool]:
        self.how, self.skip, self.times, self.struck = how, skip, times, False

        def mend() -> bool:
            self.times = 0
            return self.struck

        return mend

    def step(self) -> None:
        """One write call arrives, which may be the one to break off."""
        self.skip -= 1
        if self.skip >= 0 or not self.times:
            return
        self.struck, self.times = True, self.times - 1
        self.late = self.how in ("error_after", "lost_answer", "garbage", "empty")
        if not self.late:
            raise _REFUSALS.get(self.how, Rejected)("it broke off")

    def answering(self, operation: str, subject: Any) -> None:
        reading = operation in ("list", "get")
        if self.late and not reading:
            self.late = False
            raise Uncertain("the answer to a call is lost")
        for fault in ("lost_answer", "error_after", "garbage", "cut"):
            if self.strikes(fault):
                raise (Malformed if reading else Uncertain)("no answer that can be read")

    def list(self, kind: Kind, cursor: str | None = None, known: Any = None) -> Iterator[Page]:
        for page in super().list(kind, cursor):
            if self.strikes("repeat_cursor"):
                raise Malformed("the listing repeats its page token")
            shown = str([(id, each.model.amount) for id, each in self._rows.items()])
            items = [
                structs.replace(item, version=shown)
                for item in page.items
                if item.id not in self.unreadable
            ]
            bad = len(page.items) - len(items)
            yield replace(page, items=items, problems=[Problem(self.name, "record", "bad")] * bad)

    def garble(self, kind: Kind) -> None:
        self.unreadable.add(next(id for id, each in self._rows.items() if _is(each.model, kind)))

    def stranger(self) -> Memory:
        twin = self.reopened(10)
        twin.before = lambda operation, subject: _refuse_entry()
        return twin


def world_of(connector: Memory) -> World:
    faulty = connector if isinstance(connector, Faulty) else None
    world = World(connector=connector, reopen=connector.reopened, secrets=[SECRET])
    if faulty:
        world.fault, world.garble, world.wrong_credential = (
            faulty.fault,
            faulty.garble,
            faulty.stranger,
        )
        world.calls = lambda: faulty.written
        world.break_off = faulty.break_off
        world.stored = lambda: {id: repr(row) for id, row in faulty._rows.items()}
        world.refused = lambda: Draft(model=world.draft(ALLOCATION).model)
        world.named, world.nobody, world.listed_types = ADA, NOBODY, ["user"]
        faulty.listed = {"user": [Listed("grace", "Grace Hopper")]}
    return world


class TestFaulty(ConformanceSuite):
    """A connector that fails honestly passes every check of failing."""

    @pytest.fixture
    def world(self) -> World:
        return world_of(Faulty())


class TestWithoutKeysOrStamps(ConformanceSuite):
    """So does a vendor that can be told little."""

    @pytest.fixture
    def world(self) -> World:
        plain = Memory.with_capabilities(
            budget={"name": Hold.EXACT, "amount": Hold.ROUNDED, "currency": Hold.EXACT},
            allocation={
                "entity": Hold.EXACT, "amount": Hold.EXACT, "start": Hold.FOLLOWS,
            },
            clearable=frozenset(),
            key_lifetime=timedelta(),
            stamps=frozenset(),
            statuses=frozenset({Status.ACTIVE}),
            removal=Removal.NONE,
            amount_digits=0,
        )  # fmt: skip
        return World(connector=plain())


class Twins(Memory):
    """Makes another object each time a key is replayed."""

    def create(self, draft: Draft, key: str) -> Observed:
        return super().create(draft, f"{key}-{len(self._rows)}")


class DropsOne(Memory):
    """Loses the last record of every page but the last."""

    def _page(self, kind: Kind, cursor: str | None) -> Page:
        page = super()._page(kind, cursor)
        return replace(page, items=page.items[:-1]) if page.next_cursor else page


class RepeatsOne(Memory):
    """Shows the first record of every listing again at its end."""

    def list(self, kind: Kind, cursor: str | None = None, known: Any = None) -> Iterator[Page]:
        first = None
        for page in super().list(kind, cursor):
            first = first or (page.items and page.items[0])
            again = [first] if first and page.next_cursor is None else []
            yield replace(page, items=[*page.items, *again])


class BreaksOffQuietly(Faulty):
    """Ends a listing without an error when a page cannot be had."""

    def list(self, kind: Kind, cursor: str | None = None, known: Any = None) -> Iterator[Page]:
        try:
            yield from super().list(kind, cursor)
        except Transient:
            return


class Loops(Faulty):
    """Follows a repeated page token for ever."""

    def list(self, kind: Kind, cursor: str | None = None, known: Any = None) -> Iterator[Page]:
        while True:
            yield from Memory.list(self, kind, cursor)


class HidesTheUnreadable(Faulty):
    """Says nothing of a record that cannot be read."""

    def list(self, kind: Kind, cursor: str | None = None, known: Any = None) -> Iterator[Page]:
        for page in super().list(kind, cursor):
            yield replace(page, problems=())


class ForgetsTheUnchanged(Memory):
    """Leaves out what is known to be unchanged, and does not say so."""

    def list(self, kind: Kind, cursor: str | None = None, known: Any = None) -> Iterator[Page]:
        for page in super().list(kind, cursor):
            items = [structs.replace(item, version="1") for item in page.items]
            spared = known.unchanged({item.id: "1" for item in items}) if known else ()
            yield replace(page, items=[item for item in items if item.id not in spared])


class CoversWhatItDoesNotShow(Memory):
    """Says that its version shows every change of an amount, and has none."""

    capabilities = replace(Memory.capabilities, version_covers=COVERED)


class ObjectsToAll(Memory):
    """Has something against every budget."""

    def objections(self, model: Any) -> Sequence[Loss]:
        return (Loss("name", Effect.BLOCKED, "no reason"),)


class KnowsNoMissing(Memory):
    """Answers nothing for an id that nobody has."""

    def get(self, kind: Kind, id: str) -> Observed:
        try:
            return super().get(kind, id)
        except Missing:
            return None  # type: ignore[return-value]


class GetDiffers(Memory):
    """Shows every object as inactive in single reads."""

    def get(self, kind: Kind, id: str) -> Observed:
        got = super().get(kind, id)
        return structs.replace(got, model=structs.replace(got.model, status=Status.INACTIVE))


class CountsReads(Memory):
    """Writes down each check in a budget's name."""

    def check(self) -> Check:
        for row in self._rows.values():
            if isinstance(row.model, Budget):
                row.model = structs.replace(row.model, name=f"{row.model.name}, checked")
        return super().check()


class ResolvesAll(Faulty):
    """Answers for people of whom nobody asked."""

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        return super().resolve([*entities, ADA])


class CallsAdaAda(Faulty):
    """Says of people that they are listed by our name for them."""

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        return Resolved({}, super().resolve(entities).unknown)


class ListsTwice(Faulty):
    def directory(self, type: str) -> Iterator[Listed]:
        return (each for each in 2 * [*super().directory(type)])


class ListsStrangers(Faulty):
    def directory(self, type: str) -> Iterator[Listed]:
        return iter([*super().directory(type), Listed(NOBODY.id)])


class TakesNobody(Faulty):
    """Makes what it said would be refused."""

    def create(self, draft: Draft, key: str) -> Observed:
        if isinstance(draft.model, Allocation) and draft.model.entity == NOBODY:
            return Memory.create(self, draft, key)
        return super().create(draft, key)


class UpdatesAll(Memory):
    """Writes the description with every update."""

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        if isinstance(draft.model, Budget):
            draft = replace(draft, model=structs.replace(draft.model, description="updated"))
            fields = {*fields, "description"}
        return super().update(id, draft, fields, key)


class MergesPhases(Memory):
    """Gives all phases the amount of the last one."""

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        if phases := draft.model.phases:
            alike = tuple(structs.replace(each, amount=phases[-1].amount) for each in phases)
            draft = replace(draft, model=structs.replace(draft.model, phases=alike))
        return super().update(id, draft, fields, key)


class DropsTheStamp(Memory):
    """Takes a draft without a stamp for one that says to take it out."""

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        super().update(id, draft, fields, key)
        kind = BUDGET if isinstance(draft.model, Budget) else ALLOCATION
        self._unstamped = getattr(self, "_unstamped", frozenset()) | {id}
        return self.get(kind, id)

    def get(self, kind: Kind, id: str) -> Observed:
        seen = super().get(kind, id)
        gone = id in getattr(self, "_unstamped", ())
        return structs.replace(seen, stamp=None) if gone else seen


class EchoesTheRequest(Memory):
    """Answers an update with what was asked, not with what is stored."""

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        return Observed(id, draft.model, draft.stamp, draft.container)


class RetiresOnce(Memory):
    """Refuses to retire what is retired."""

    def retire(self, kind: Kind, id: str, key: str) -> None:
        if self.get(kind, id).model.status is Status.RETIRED:
            raise Rejected("already retired")
        super().retire(kind, id, key)


class DeletesForRetire(Memory):
    """Deletes where it says that it retires."""

    def retire(self, kind: Kind, id: str, key: str) -> None:
        self.drop(id)


class DeletesOnce(Memory):
    """Raises for what is gone already."""

    def delete(self, kind: Kind, id: str, key: str) -> None:
        self.get(kind, id)
        super().delete(kind, id, key)


class TakesTwins(Faulty):
    """A name may be taken twice, though it says otherwise."""

    def _refuse_twins(self, row: Any) -> None:
        pass


class KeepsNamesForGood(Faulty):
    """A name that was ever given is never free again."""

    def _refuse_twins(self, row: Any) -> None:
        name = str(getattr(row.model, "name", None) or getattr(row.model, "entity", None))
        if self.__dict__.setdefault("ever", {}).setdefault(name, row.id) != row.id:
            raise Rejected("that name was another's")


class TrustsNotFound(Faulty):
    """Takes "not found" for proof that an object is gone."""

    def retire(self, kind: Kind, id: str, key: str) -> None:
        with suppress(Missing):
            super().retire(kind, id, key)


class HalfRefuses(Faulty):
    """Leaves an object behind when it refuses a create."""

    def create(self, draft: Draft, key: str) -> Observed:
        try:
            return super().create(draft, key)
        except Rejected:
            self.put(Budget(ref="half", name="half made", amount=None))
            raise


class CallsTheMiddleRefused(Faulty):
    """Says what its second call was answered, as if the first had not been done."""

    def create(self, draft: Draft, key: str) -> Observed:
        made = super().create(draft, key)
        return self.update(made.id, draft, {"status"}, f"{key}-2")


class UpdatesInTwo(Faulty):
    """Changes one field by one call, and says what the second was answered."""

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        for name in sorted(fields):
            made = super().update(id, draft, {name}, f"{key}-{name}")
        return made if fields else self.get(BUDGET, id)


class GivesUpRemoving(Faulty):
    """Takes a refusal to retire for the end of it."""

    def retire(self, kind: Kind, id: str, key: str) -> None:
        try:
            super().retire(kind, id, key)
        except ConnectorError:
            self.drop(id)


class LosesAnswersQuietly(Faulty):
    """Repeats a create blindly when its answer was lost."""

    serials = count()

    def create(self, draft: Draft, key: str) -> Observed:
        try:
            return super().create(draft, key)
        except Uncertain:
            return super().create(draft, f"{key}-{next(self.serials)}")


class Shuffles(Faulty):
    """Answers many creates in an order of its own."""

    def create_many(self, drafts: Sequence[Draft], keys: Sequence[str]) -> Any:
        return super().create_many(drafts, keys)[::-1]


class AllOrNothing(Faulty):
    """Makes none where one is refused."""

    def create_many(self, drafts: Sequence[Draft], keys: Sequence[str]) -> Any:
        error = super().create_many(drafts[:1], keys[:1])[0]
        return [error] * len(drafts)


class ProbesByName(Memory):
    """Looks for a lost create by its name alone, whatever stamp it should have."""

    def probe(self, drafts: Sequence[Draft]) -> Any:
        return super().probe([replace(draft, stamp=None, container=None) for draft in drafts])


class Rounds(Memory):
    """Keeps whole units of an amount that it declares exact."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = lambda model: structs.replace(
            model, amount=model.amount and model.amount.rounded(0)
        )


class CentsAlways(Memory):
    """Takes every currency for one with two digits."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = lambda model: structs.replace(
            model, amount=model.amount and _cents(model.amount)
        )


class MixesUpFaults(Faulty):
    """Calls a full server broken."""

    def arriving(self, operation: str, subject: Any) -> None:
        if self.strikes("rate_limit"):
            raise Transient("something went wrong")
        super().arriving(operation, subject)


class TakesAnyone(Faulty):
    """Does not ask for the credential before an update."""

    def stranger(self) -> Memory:
        return self.reopened(10)


class StaysToday(Faulty):
    """Goes by the clock, whatever day a run is for."""

    def today(self) -> date:
        return self.runtime.now().date()


class TellsSecrets(Faulty):
    """Puts its credential into the error."""

    def answering(self, operation: str, subject: Any) -> None:
        if self.strikes("garbage"):
            raise Malformed(f"no JSON in the answer to Authorization: Bearer {SECRET}")


class LeavesUnasked(Memory):
    """Writes without asking whether it may."""

    def _leave(self, operation: str, subject: Any) -> None:
        self.before(operation, subject)


class AsksOnce(Faulty):
    """Asks for a whole batch before its first call."""

    def create_many(self, drafts: Sequence[Draft], keys: Sequence[str]) -> Any:
        leaving()
        with departing(lambda: None):
            return super().create_many(drafts, keys)


class AsksAndSendsNothing(Memory):
    """Says that it updates, and does not."""

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        leaving()
        return self.get(Kind.BUDGET, id)


def _refuse_entry() -> None:
    raise Unauthorized("unknown credential")


class AddsUp(Memory):
    """Adds what was spent to what it has kept, each time."""

    def _keeping(self, place: Place, spent: Amount) -> Recorded:
        before = self.kept.get(place)
        return Recorded(Keeping.WRITTEN, "", before, before + spent if before else spent)


class TriesInEarnest(Memory):
    """Writes in a dry run."""

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        return super().record_actuals(rows)


class KeepsTheLast(Memory):
    """Of what several have seen spent of one object it keeps what the last one says."""

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        last = {place_of(row): row for row in rows}
        told = super().record_actuals([*last.values()], dry_run=dry_run)
        answers = dict(zip(last, told, strict=True))
        return [answers[place_of(row)] for row in rows]


class SpendsTheBudget(Memory):
    """Writes what was spent onto what was budgeted."""

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        for row in rows:
            if row.ref in self._rows:
                self.edit(row.ref, amount=row.spent)
        return super().record_actuals(rows, dry_run=dry_run)


class RefusesAllForOne(Memory):
    """Keeps nothing where one row has no place."""

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        told = super().record_actuals(rows, dry_run=True)
        if any(each.outcome is Keeping.REFUSED for each in told):
            raise Rejected("one of them has no place")
        return super().record_actuals(rows, dry_run=dry_run)


class KeepsUnasked(Memory):
    """Keeps what was spent, whatever may leave."""

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        with departing(lambda: None):
            return super().record_actuals(rows, dry_run=dry_run)


class KeepsHalf(Faulty):
    """After what broke off it takes half of it for all."""

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        try:
            return super().record_actuals(rows, dry_run=dry_run)
        except Uncertain:
            self.kept = {place: amount + amount for place, amount in self.kept.items()}
            self._keeping = lambda place, spent: Recorded(Keeping.REFUSED, reason="later")  # type: ignore[method-assign]
            raise


def _is(model: Any, kind: Kind) -> bool:
    return isinstance(model, Budget) is (kind is BUDGET)


def _cents(amount: Amount) -> Amount:
    return Amount(amount.value.quantize(Decimal("0.01")), amount.unit)


BROKEN: Sequence[tuple[type[Memory], str, tuple[Any, ...]]] = [
    (RepeatsOne, "test_1_1_1_list_yields_every_object_once", (BUDGET,)),
    (DropsOne, "test_1_1_2_list_yields_the_same_whatever_the_page_size", (BUDGET, 2)),
    (ForgetsTheUnchanged, "test_1_1_4_what_is_known_unchanged_is_vouched_for", (BUDGET,)),
    (CoversWhatItDoesNotShow, "test_1_1_6_a_version_moves_with_all_that_it_is_said_to_cover", (BUDGET,)),
    (CoversWhatItDoesNotShow, "test_1_1_6_a_version_moves_with_all_that_it_is_said_to_cover", (ALLOCATION,)),
    (BreaksOffQuietly, "test_1_2_2_a_listing_that_breaks_off_says_so", ("error_before",)),
    (HidesTheUnreadable, "test_1_3_1_an_unreadable_record_is_a_problem_beside_the_others", (BUDGET,)),
    (Loops, "test_1_4_1_a_repeated_page_token_ends_the_listing", ()),
    (GetDiffers, "test_1_5_1_get_returns_what_list_shows", (BUDGET,)),
    (KnowsNoMissing, "test_1_5_2_get_of_an_unknown_id_raises_missing", (ALLOCATION,)),
    (CountsReads, "test_1_6_1_reading_changes_nothing", ()),
    (StaysToday, "test_1_7_1_the_day_of_a_run_is_today_while_it_goes_on", ()),
    (ResolvesAll, "test_1_8_1_resolving_answers_for_whom_it_was_asked_and_changes_nothing", ()),
    (CallsAdaAda, "test_1_8_2_who_is_there_is_listed_by_the_name_that_was_told", ()),
    (ListsTwice, "test_1_9_1_a_directory_shows_everybody_once_whatever_the_page_size", ()),
    (
        ListsStrangers,
        "test_1_9_2_whom_a_directory_shows_can_be_named_and_looking_changes_nothing",
        (),
    ),
    (TakesNobody, "test_1_8_3_who_is_unknown_is_refused_and_nothing_is_made", ()),
    (GetDiffers, "test_2_1_1_create_returns_what_get_shows", (ALLOCATION,)),
    (UpdatesAll, "test_2_2_1_update_changes_the_named_field_alone", (BUDGET, "name")),
    (EchoesTheRequest, "test_2_2_1_update_changes_the_named_field_alone", (BUDGET, "amount")),
    (RetiresOnce, "test_2_3_2_retiring_twice_is_no_error", (BUDGET,)),
    (DeletesForRetire, "test_2_3_1_retire_takes_out_of_use_and_keeps_the_object", (BUDGET,)),
    (DeletesOnce, "test_2_3_5_deleting_twice_is_no_error", (ALLOCATION,)),
    (TrustsNotFound, "test_2_3_8_not_found_as_the_answer_to_a_removal_is_no_proof", (BUDGET, "retire")),
    (HalfRefuses, "test_2_4_1_a_refused_create_changes_nothing", ()),
    (LosesAnswersQuietly, "test_2_5_1_a_create_with_a_lost_answer_is_made_once", (BUDGET, "lost_answer")),
    (Twins, "test_2_6_1_the_same_key_and_draft_make_one_object", (BUDGET,)),
    (ProbesByName, "test_2_7_2_probe_finds_nothing_where_another_stamp_is", (BUDGET,)),
    (ProbesByName, "test_2_7_3_probe_looks_in_the_drafts_own_container", ()),
    (Rounds, "test_2_8_1_an_exact_field_reads_back_as_written", (BUDGET, "amount", 0)),
    (CentsAlways, "test_2_8_3_amounts_keep_every_digit_of_their_currency", (BUDGET, 1, 2)),
    (ObjectsToAll, "test_2_8_12_there_is_no_objection_to_what_can_be_held", (BUDGET,)),
    (Shuffles, "test_2_9_1_each_comes_back_as_get_shows_it_in_the_order_asked", ()),
    (AllOrNothing, "test_2_9_2_one_that_is_refused_stops_no_other", ()),
    (LosesAnswersQuietly, "test_2_9_3_with_a_lost_answer_each_is_made_once", ("lost_answer",)),
    (CallsTheMiddleRefused, "test_2_10_1_a_create_that_breaks_off_says_so_and_is_finished", (BUDGET, "429", True)),
    (UpdatesInTwo, "test_2_10_2_an_update_that_breaks_off_says_so_and_is_finished", (BUDGET, "403", True)),
    (TakesTwins, "test_2_12_1_a_name_that_another_has_is_refused", (BUDGET,)),
    (KeepsNamesForGood, "test_2_12_2_two_names_are_swapped_by_way_of_a_temporary_one", (BUDGET,)),
    (GivesUpRemoving, "test_2_11_1_a_removal_that_breaks_off_says_so_and_is_finished", (BUDGET, "401", False)),
    (AddsUp, "test_2_13_1_the_same_again_changes_nothing", ()),
    (AddsUp, "test_2_13_2_another_amount_takes_its_place_and_others_stay", ()),
    (TriesInEarnest, "test_2_13_3_a_dry_run_says_the_same_and_writes_nothing", ()),
    (RefusesAllForOne, "test_2_13_4_a_row_without_a_place_is_refused_and_stops_no_other", ()),
    (SpendsTheBudget, "test_2_13_5_what_was_budgeted_is_never_touched", ()),
    (KeepsTheLast, "test_2_13_6_what_several_have_seen_spent_is_all_kept", ()),
    (KeepsUnasked, "test_2_13_7_what_may_not_leave_is_not_kept", ()),
    (KeepsHalf, "test_2_13_8_what_broke_off_is_completed_by_the_same", ("lost_answer",)),
    (MergesPhases, "test_2_14_1_one_phase_of_several_changes_alone", (BUDGET,)),
    (UpdatesAll, "test_2_14_2_what_was_not_sent_stays_with_stamp_and_text", (BUDGET,)),
    (DropsTheStamp, "test_2_14_2_what_was_not_sent_stays_with_stamp_and_text", (BUDGET,)),
    (TakesAnyone, "test_3_1_2_a_wrong_credential_changes_nothing", ()),
    (MixesUpFaults, "test_3_2_3_a_full_server_is_rate_limited", ("list",)),
    (LeavesUnasked, "test_4_1_1_a_write_that_may_not_leave_changes_nothing", (BUDGET, "delete")),
    (AsksOnce, "test_4_1_2_each_call_of_a_write_asks_anew", (ALLOCATION, "create_many", 1)),
    (AsksAndSendsNothing, "test_4_1_3_a_write_that_may_leave_is_asked_for_and_done", (BUDGET, "update")),
    (TellsSecrets, "test_3_3_3_no_fault_tells_a_secret", ("garbage",)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "check", "arguments"), BROKEN, ids=[f"{each.__name__}-{name[5:8]}" for each, name, _ in BROKEN]
)  # fmt: skip
def test_a_broken_connector_fails_the_check_of_what_it_breaks(
    broken: Callable[[], Memory], check: str, arguments: tuple[Any, ...], caplog: Any
) -> None:
    run = getattr(ConformanceSuite(), check)
    if "caplog" in run.__func__.__code__.co_varnames:
        arguments = (caplog, *arguments)
    run(world_of(Faulty()), *arguments)
    try:
        with pytest.raises((AssertionError, ConnectorError, pytest.fail.Exception)):
            run(world_of(broken()), *arguments)
    except pytest.skip.Exception as skipped:
        pytest.fail(f"the check was skipped: {skipped}")


def test_every_promise_has_checks_of_its_own_numbers() -> None:
    promises = re.findall(r"^  (\d\.\d+) +", interface.__doc__ or "", re.MULTILINE)
    checks: dict[str, list[int]] = {}
    for name in dir(ConformanceSuite):
        if found := re.match(r"test_(\d)_(\d+)_(\d+)_", name):
            checks.setdefault(f"{found[1]}.{found[2]}", []).append(int(found[3]))
    assert {*checks} == {*promises}
    assert sum(map(len, checks.values())) >= 60
    assert all(sorted(numbers) == [*range(1, len(numbers) + 1)] for numbers in checks.values())


def test_a_skip_names_the_hook_that_is_absent() -> None:
    with pytest.raises(pytest.skip.Exception, match="hook: garble"):
        World(connector=Memory()).hook("garble")

"""Reading a file by a layout: what it states, what is wrong in it, and what is to be asked.

Nothing is guessed: a budget of which one cell cannot be read is set aside whole, with the place of
the cell; what a person has to decide is a question, with the readings and the setting.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from canonical.currency import exponent
from canonical.errors import UnknownUnit
from connectors.layouts.columns import Columns, Getter
from connectors.layouts.grouping import EXACT, Grouped, Groups, Head, Rounding, tell_likenesses
from connectors.layouts.headers import Bound, cell_words
from connectors.layouts.language import Layout
from connectors.layouts.numbers import NumberForm, Rounded, Unclear, plain_text
from connectors.layouts.questions import Finding, Findings, Question
from connectors.layouts.rows import Taking
from connectors.layouts.settled import Settled
from connectors.layouts.sheet import Cells, Sheet
from connectors.layouts.spans import Slot, Spans
from connectors.layouts.sums import Dense, Sparse
from connectors.layouts.timelines import Timeline
from connectors.layouts.toml import value_text
from connectors.layouts.totals import Totals
from connectors.rows.cells import spelled
from connectors.rows.layout import Wrong

_TOTAL = re.compile(
    r"(grand |overall )?(total|totals|totaal|totale|totaux|sum|summe|gesamt|gesamtsumme|insgesamt"
    r"|suma|somma|summa)"
    r"( (general|g[ée]n[ée]ral|generale|expenses|budget|amount))?:?",
    re.IGNORECASE,
)
"""What a row is called that adds up those above it."""
FACTS = ("description", "parent", "owners")


@dataclass(slots=True)
class Reading:
    """What was read of one sheet."""

    label: str
    layout: Layout
    bound: Bound
    groups: Groups
    settled: Settled
    findings: Findings
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: int = 0

    @property
    def open(self) -> list[Question]:
        """The questions without whose answer the file means nothing."""
        return [each for each in self.questions if each.whole]

    def budgets(self) -> Iterator[Grouped]:
        """Every budget that was read whole; none while a question about all of them is open."""
        if not self.open:
            yield from self.groups.budgets(self.settled, self.findings.aside)

    def problems(self) -> Iterator[Finding]:
        """What is wrong, with its place."""
        return self.findings.all()


def read_sheet(sheet: Sheet, layout: Layout, bound: Bound) -> Reading:
    """All rows of a sheet whose header was found."""
    return _Reader(sheet, layout, bound).read()


class _Reader:
    """One pass over a sheet."""

    def __init__(self, sheet: Sheet, layout: Layout, bound: Bound) -> None:
        self._sheet, self._layout, self._bound = sheet, layout, bound
        self._columns = Columns(layout, bound)
        self._spans = Spans(layout, bound, self._columns)
        self._amount = self._columns.place(layout.amount) if layout.amount else None
        self._totals = Totals(layout.numbers, self._spans.totals)
        amounts = [self._amount] if self._amount is not None else self._spans.amounts
        self._taking = Taking(sheet, layout, bound, self._columns, amounts)
        self._groups = Groups(
            Sparse() if layout.is_long else Dense(len(amounts)), layout.allocation.type
        )
        self._findings = Findings()
        self._unclear: list[tuple[str, Unclear]] = []
        self._forms: dict[str, NumberForm] = {}
        self._plans: dict[str, dict[str, int]] = {each: {} for each in layout.rows.single}
        self._spellings: dict[str, str] = {}
        self._rows = self._total = self._blanks = 0
        self._called_total: set[str] = set()
        self._since = 0
        """What the rows since the last total come to."""
        self._added = 0
        """What all rows but totals come to."""
        self._found_totals: list[tuple[str, int]] = []
        self._slots: Sequence[Slot] = ()
        self._periods: list[int] = []
        self._last = "", ""
        self._rounds = layout.numbers.round is not None
        self._before = EXACT
        self._prepare()

    def _prepare(self) -> None:
        group, share = self._layout.budget, self._layout.allocation
        get = self._columns.getter
        self._ref = get(group.ref, code=True)
        self._entity = get(share.entity, code=True) if share.entity else None
        named = share.name if self._columns.has(share.name) else None
        self._entity_name = get(named) if named else None
        self._name = get(group.name) if group.name else None
        currency = group.currency if self._columns.has(group.currency) else None
        self._currency = get(currency) if currency else None
        self._facts: dict[str, Getter] = {
            fact: get(name, code=fact == "parent")
            for fact in FACTS
            if (name := getattr(group, fact)) is not None
        }
        for dimension, name in group.dimensions.items():
            self._facts[f"dimension:{dimension}"] = get(name)
        rows = self._layout.rows
        self._only = [
            (get(name), {each.casefold() for each in said}, name)
            for name, said in rows.only.items()
        ]
        self._single = [(get(name), name) for name in rows.single if self._columns.has(name)]
        self._required = [(get(name), name) for name in rows.required if self._columns.has(name)]

    def read(self) -> Reading:
        paths = [(path, self._columns.place(name)) for name, path in self._columns.paths.items()]
        take = self._take_long if self._layout.is_long else self._take_wide
        for number, cells, _ in self._taking:
            for path, place in paths:
                path.see(cells, place)
            take(number, cells)
        return self._finish()

    # Rows

    def _take_wide(self, row: int, cells: Cells) -> None:
        width = len(cells)
        column = -1
        try:
            form = self._form(cells)
            slots = self._spans.slots(cells, row)
            found = self._at_once(form, slots, cells)
            if found is not None:
                self._keep(row, cells, self._periods, found)
                self._hold_against_totals(row, cells, slots, self._periods, found)
                return
            periods, found = list[int](), list[int]()
            for column, period in slots:
                value = cells[column] if column < width else ""
                if type(value) is str:
                    amount = form.read(value) if value or form.counts_blank else None
                else:
                    amount = form.value(value)
                if amount is not None:
                    periods.append(period)
                    found.append(amount)
                elif self._sheet.unsure:
                    self._blanks += 1
            column = -1
            if found:
                self._keep(row, cells, periods, found)
            self._hold_against_totals(row, cells, slots, periods, found)
        except Wrong as error:
            self._refuse(row, cells, error, column)

    def _hold_against_totals(
        self,
        row: int,
        cells: Cells,
        slots: Sequence[Slot],
        periods: Sequence[int],
        amounts: Sequence[int],
    ) -> None:
        """Tell where a total says other than what it adds up, and set the budget aside."""
        if not self._spans.totals or self._left_out(cells) is not None:
            return
        if len(amounts) == len(slots):
            held = {column: amount for (column, _), amount in zip(slots, amounts, strict=True)}
        else:
            found = dict(zip(periods, amounts, strict=True))
            held = {column: found[period] for column, period in slots if period in found}
        for column, said in self._totals.wrong(cells, held):
            text = self._bound.texts[column]
            hint = f"; correct it, or say ignore = {value_text(text)}"
            self._refuse(row, cells, Wrong(None, said + hint), column)

    def _left_out(self, cells: Cells) -> str | None:
        """The column by which `rows.only` leaves the row out."""
        for get, wanted, name in self._only:
            if get(cells).casefold() not in wanted:
                return name
        return None

    def _at_once(self, form: NumberForm, slots: Sequence[Slot], cells: Cells) -> list[int] | None:
        """The amounts of a row of text for `self._periods`; None unless all of them are plain."""
        if self._sheet.typed or not slots:
            return None
        if slots is not self._slots:
            self._slots, self._periods = slots, [period for _, period in slots]
        first, last = slots[0][0], slots[-1][0]
        if last - first != len(slots) - 1 or last >= len(cells):
            return None
        texts: Sequence[str] = cells[first : last + 1]  # type: ignore[assignment]
        return form.read_all(texts)

    def _take_long(self, row: int, cells: Cells) -> None:
        place = self._amount
        column = place if place is not None else -1
        try:
            value = cells[column] if 0 <= column < len(cells) else ""
            form = self._form(cells)
            amount = form.read(value) if isinstance(value, str) else form.value(value)
            if amount is not None:
                column = -1
                self._keep(row, cells, (self._spans.number(cells, row),), (amount,))
            else:
                self._blanks += self._sheet.unsure
                self._ensure_required(cells)
        except Wrong as error:
            self._refuse(row, cells, error, column)

    def _form(self, cells: Cells) -> NumberForm:
        unit = self._unit(cells)
        found = self._forms.get(unit)
        if found is None:
            try:
                digits = exponent(unit) if unit else 2
            except UnknownUnit as error:
                raise Wrong(self._layout.budget.currency, str(error)) from None
            found = self._forms[unit] = NumberForm(self._layout.numbers, digits, unit)
        if self._rounds:
            self._before = Rounding(found.rounded.count, found.rounded.lost)
        return found

    def _unit(self, cells: Cells) -> str:
        said = self._currency(cells) if self._currency is not None else ""
        return said or self._layout.currency or ""

    def _keep(self, row: int, cells: Cells, periods: Sequence[int], amounts: Sequence[int]) -> None:
        if (left_out := self._left_out(cells)) is not None:
            self._taking.skipped[f"rows.only {left_out}"] += 1
            return
        self._ensure_required(cells)
        self._taking.ensure_read(cells)
        for get, name in self._single:
            plans = self._plans[name]
            text = get(cells)
            plans[text] = plans.get(text, 0) + 1
        ref = self._spelling(self._ref(cells))
        entity = self._spelling(self._entity(cells)) if self._entity is not None else ""
        self._head(ref, entity, row, cells)
        if self._entity_name is not None and entity:
            self._groups.call(entity, self._entity_name(cells))
        group = self._groups.number(ref, entity, row)
        try:
            self._groups.sums.add(group, periods, amounts)
        except OverflowError:
            raise Wrong(None, "the sum is beyond any amount") from None
        if self._rounds:
            self._tell_rounding(group, self._forms[self._unit(cells)].rounded)
        self._rows += 1
        self._add_up(ref or entity, row, sum(amounts))

    def _tell_rounding(self, group: int, now: Rounded) -> None:
        """What the present row's amounts lost is a loss of its budget and of its share."""
        count, by = now.count - self._before.count, now.lost - self._before.by
        if count:
            self._groups.round(group, Rounding(count, by))

    def _spelling(self, text: str) -> str:
        found = self._spellings.get(text)
        if found is None:
            found = self._spellings[text] = spelled("ref", text)
            if _TOTAL.fullmatch(found):
                self._called_total.add(found)
        return found

    def _head(self, ref: str, entity: str, row: int, cells: Cells) -> None:
        unit = self._unit(cells)
        if ref and self._last == (ref, unit):
            return  # as the row above
        key = self._groups.head(ref, entity)
        head = self._groups.heads.get(key)
        if head is None:
            facts = {fact: text for fact, get in self._facts.items() if (text := get(cells))}
            name = self._name(cells) if self._name is not None else ""
            self._groups.heads[key] = Head(ref, row, name, unit, facts)
        elif head.currency != unit:
            raise Wrong(
                self._layout.budget.currency,
                f"{unit or 'no currency'} where row {head.row} of {ref or entity!r} has "
                f"{head.currency or 'none'}; a budget has one currency",
            )
        self._last = ref, unit

    def _ensure_required(self, cells: Cells) -> None:
        for get, name in self._required:
            if not get(cells):
                raise Wrong(name, "is blank, and the layout requires it")

    # Faults

    def _refuse(self, row: int, cells: Cells, error: Wrong, column: int) -> None:
        if self._repeats_header(cells):
            self._taking.skipped["rows that repeat the header"] += 1
            return
        if column < 0 and error.column is not None:
            column = self._place(error.column)
        where = f"{self._sheet.label} row {row}"
        where += f", column {self._bound.title(column)}" if column >= 0 else ""
        if isinstance(error, Unclear):
            self._unclear.append((where, error))
        kind = f"{column} {error.column} {error.message.rpartition(chr(39))[2]}"
        self._findings.add(where, error.message, self._whose(cells), kind)

    def _repeats_header(self, cells: Cells) -> bool:
        said = [cell_words(each) for each in cells]
        return any(said) and said == self._bound.texts[: len(said)]

    def _place(self, name: str) -> int:
        place = self._columns.place(name)
        return -1 if place is None else place

    def _whose(self, cells: Cells) -> str | None:
        """The budget that a row belongs to; None where that cannot be told."""
        try:
            ref = self._spelling(self._ref(cells))
            return ref or (self._spelling(self._entity(cells)) if self._entity else None) or None
        except Wrong:
            return None

    # The end

    def _finish(self) -> Reading:
        settled = self._spans.settle()
        settled.spread = self._layout.periods.spread
        questions = [*self._bound.questions, *settled.questions, *self._ask()]
        self._tell_blank()
        self._tell_unsettled(settled)
        tell_likenesses(self._groups, self._sheet.label, self._findings)
        self._tell_overlaps(settled)
        found = Reading(
            self._sheet.label,
            self._layout,
            self._bound,
            self._groups,
            settled,
            self._findings,
            questions,
            [*settled.notes, *self._notes()],
            self._rows,
        )
        found.questions += [*self._ask_sign(found), *self._ask_total()]
        return found

    def _ask(self) -> Iterator[Question]:
        if self._unclear:
            where, error = self._unclear[0]
            more = f" (and {len(self._unclear) - 1} more)" if len(self._unclear) > 1 else ""
            what = f"what {error.text!r} in {where} is{more}"
            yield Question(what, error.readings, "numbers.decimal", whole=False)
        if self._blanks and not self._layout.file.blanks:
            what = f"whether {self._blanks} blank amounts are blank, as errors look the same in it"
            ways = ("blank with file.blanks=true", "or save it as xlsx, which tells them")
            yield Question(what, ways, "file.blanks")
        for name, cut in self._columns.cuts.items():
            if cut.others:
                what = f"where {cut.uncut!r} is cut for the {name}, as no text holds {cut.sign!r}"
                setting = f"columns.{name}.split"
                yield Question(what, tuple(f"{setting}={each}" for each in cut.others), setting)
        for name, plans in self._plans.items():
            if len(plans) > 1 and name not in self._layout.rows.only:
                what = f"which {name.replace('_', ' ')} is meant, as the file holds {len(plans)}"
                readings = tuple(
                    f"rows.only.{name}={text} ({count} rows)" for text, count in plans.items()
                )
                yield Question(what, readings, f"rows.only.{name}")

    def _ask_sign(self, found: Reading) -> Iterator[Question]:
        """Whether spending is below zero, where all amounts together are and nobody said so."""
        if "sign" in self._layout.numbers.model_fields_set or found.open:
            return
        total = self._total
        if total < 0:
            readings = (
                f"{plain_text(-total)} of spending with numbers.sign=-1",
                f"{plain_text(total)}, a credit, with numbers.sign=1",
            )
            yield Question("whether spending is below zero", readings, "numbers.sign")

    def _add_up(self, name: str, row: int, amount: int) -> None:
        """Take note of a row's sum, and whether it is called a total and is that of rows above."""
        self._total += amount
        if name in self._called_total and amount and amount in (self._since, self._added):
            self._found_totals.append((name, row))
            self._since = 0
        else:
            self._since += amount
            self._added += amount

    def _ask_total(self) -> Iterator[Question]:
        """Whether a row is a total of those above, where it is called so and adds them up."""
        if "skip" in self._layout.rows.model_fields_set or not self._found_totals:
            return
        name, row = self._found_totals[0]
        column = self._layout.budget.ref
        if self._groups.alone() and self._layout.allocation.entity is not None:
            column = self._layout.allocation.entity
        names = list(dict.fromkeys(each for each, _ in self._found_totals))
        skip = value_text([{"column": column, "equals": names}])
        readings = (f"its total with rows.skip={skip}", "a budget with rows.skip=[]")
        yield Question(
            f"what {name!r} in row {row} is, the sum of rows above", readings, "rows.skip"
        )

    def _tell_blank(self) -> None:
        group, share = self._layout.budget, self._layout.allocation
        for ref, entity, row in self._groups.blank():
            if not ref and not self._groups.alone():
                said = f"{entity or 'a row'} has amounts and no {group.ref}"
                name, aside = group.ref, None
            else:
                said = f"{ref or 'a row'} has amounts without {share.entity or group.ref}"
                name, aside = share.entity or group.ref, ref or None
            hint = f'; columns.{name}.default = "…" says what a blank means'
            self._findings.add(
                f"{self._sheet.label} row {row}", said + hint, aside, f"blank {name}"
            )
            self._findings.aside.add(ref)

    def _tell_unsettled(self, settled: Settled) -> None:
        told: set[int] = set()
        for ref, period, row in self._groups.unsettled(settled):
            self._findings.aside.add(ref)
            if period not in told:
                told.add(period)
                at = self._spans.rows[period] or row
                self._findings.add(f"{self._sheet.label} row {at}", settled.wrong[period], ref)

    def _tell_overlaps(self, settled: Settled) -> None:
        """Budgets whose amounts count for the same days in periods of different length."""
        if Timeline(settled.order).overlap is None:
            return
        for budget in self._groups.budgets(settled, self._findings.aside):
            if (both := budget.counted.timeline.overlap) is not None:
                said = f"{budget.ref} has amounts for {both[0]} and for {both[1]}, which overlap"
                where = f"{self._sheet.label} row {budget.row}"
                self._findings.add(where, said, budget.ref, "overlap")

    def _notes(self) -> Iterator[str]:
        for rule, count in self._taking.skipped.items():
            yield f"{count} rows passed over by {rule}"
        if self._taking.ended is not None:
            yield f"the data end before row {self._taking.ended}"
        for unit, form in self._forms.items():
            if form.rounded.count:
                lost = f"{form.rounded.lost / 10_000:f}".rstrip("0")
                yield f"rounded: {form.rounded.count} amounts, by {lost} {unit} in all"

"""The language of layouts: what may stand in a layout, in the settings or in a file of its own.

Every key has a default, so that a layout says only what its files need; unknown keys are errors.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from canonical.currency import exponent

COLUMN_KEYS: Final = ("any", "match", "at", "value", "text", "of", "first")
"""The keys of a column of which one says where its value comes from."""


def _listed(said: Any) -> Any:
    """One text where a list may stand is a list of one."""
    return [said] if isinstance(said, str | int) and not isinstance(said, bool) else said


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    return text


def _place(said: Any) -> Any:
    """A position that was typed as text is the number."""
    return int(said) if isinstance(said, str) and said.isdecimal() else said


def _unit(code: str) -> str:
    exponent(code)
    return code


Texts = Annotated[
    tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...])
]
Pattern = Annotated[str, AfterValidator(_pattern)]
Sign = Annotated[str, Field(min_length=1, max_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileForm(_Part):
    """How the file is opened."""

    encoding: Texts = Field(
        default=("utf-8", "cp1252"),
        description="How text is encoded; of several the first in which the whole file reads.",
    )
    delimiter: Texts = Field(
        default=(",", ";", "\t", "|"),
        description="What parts the columns; of several the first with which the header is found.",
    )
    quote: Sign | Literal[""] = Field(
        default='"', description='What quotes a cell; "" where nothing does.'
    )
    sheet: str | None = Field(
        default=None, description="The worksheet; without it the visible one that fits."
    )
    blanks: bool = Field(
        default=False,
        description="xls, xlsb: blank cells are blank, though a cell with an error looks the same "
        "to the reader of such files.",
    )
    records: str | None = Field(
        default=None, description='json: where the list of records stands, such as "value".'
    )
    lines: str | None = Field(
        default=None, description="json: the list inside a record that makes a row of each entry."
    )


class Condition(_Part):
    """What a row is like; all that is said must hold."""

    column: str | None = Field(
        default=None, description="A named column or a header's text; without it any cell."
    )
    equals: Texts = Field(default=(), description="The cell is one of these, in capitals or not.")
    like: Pattern | None = Field(
        default=None, description="The whole cell fits this regular expression."
    )
    blank: bool | None = Field(default=None, description="Whether the cell is blank.")
    bold: bool | None = Field(default=None, description="Whether the cell is bold (xlsx).")
    closes: str | None = Field(
        default=None,
        description='The cell is this and a text that stood above in the column: "Total " closes '
        '"Travel" with "Total Travel".',
    )
    only: str | None = Field(
        default=None, description="Every cell that is not blank says this, and one does."
    )
    without: Texts = Field(default=(), description="Columns that are all blank.")
    numbers: bool | None = Field(
        default=None, description="Whether the row has an amount that is not blank."
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Condition":
        if not self.model_fields_set - {"column"}:
            raise ValueError(
                "a condition says equals, like, blank, bold, closes, only, without or numbers"
            )
        return self


Conditions = Annotated[
    tuple[Condition, ...], BeforeValidator(lambda said: [said] if isinstance(said, dict) else said)
]


class Header(_Part):
    """Where the names of the columns stand."""

    none: bool = Field(default=False, description="There is no header: columns go by `at`.")
    row: int | None = Field(
        default=None,
        ge=1,
        description="The row; without it the first in which the named columns are found.",
    )
    has: Texts = Field(default=(), description="Texts that the header holds, each in a cell.")
    rows: int = Field(default=1, ge=1, le=5, description="How many rows the header has.")
    fill_right: bool = Field(
        default=False,
        description="A blank cell in the upper rows takes the text to its left (merged cells).",
    )
    then: Condition | None = Field(
        default=None, description="A row below the header after which the data begin."
    )


class Rows(_Part):
    """Which rows count."""

    skip: Conditions = Field(default=(), description="Rows like any of these are passed over.")
    where: Conditions = Field(default=(), description="Only rows that are like all of these.")
    refuse: Conditions = Field(
        default=(), description="Rows like any of these cannot be read so, and are told."
    )
    only: dict[str, Texts] = Field(
        default_factory=dict, description="Only rows whose column holds one of these."
    )
    stop: Conditions = Field(default=(), description="The data end before a row like this.")
    stop_after_blank: int | None = Field(
        default=None, ge=1, description="The data end with so many blank rows."
    )
    fill: Texts = Field(
        default=(), description="Columns whose blank cells take the text above them."
    )
    fill_at: str | None = Field(
        default=None,
        description="The column that, where it is not blank, begins anew what `fill` hands down.",
    )
    single: Texts = Field(
        default=(),
        description="Columns in which several values are several plans: which one is asked.",
    )
    required: Texts = Field(
        default=(), description="Columns that may not be blank in a row that counts."
    )


class Column(_Part):
    """Where a named value comes from: one of any, match, at, value, text, of, first."""

    any: Texts = Field(
        default=(), description="Spellings of its header; capitals, blanks and signs do not matter."
    )
    match: Pattern | None = Field(
        default=None, description="A regular expression that fits its whole header."
    )
    beside: dict[str, str] = Field(
        default_factory=dict,
        description="Spellings that count only where another column is read under this header: "
        'RTCUR = "TSL" is the currency of that amount, and of no other.',
    )
    at: Annotated[int | str, BeforeValidator(_place)] | None = Field(
        default=None, description='Its position: 3, or "C"; it counts before its header.'
    )
    value: str | None = Field(default=None, description="A constant.")
    text: str | None = Field(
        default=None, description='Put together of columns: "{Cost center}-{Year}".'
    )
    of: str | None = Field(
        default=None, description="A column of which `split` and `part`, or `find`, take a piece."
    )
    split: str | None = Field(default=None, min_length=1, description="What parts the pieces.")
    part: int | None = Field(default=None, ge=1, description="Which piece, from 1 on.")
    find: Pattern | None = Field(
        default=None,
        description="A regular expression; its first group is the value, the whole text where it "
        "does not fit.",
    )
    first: Texts = Field(default=(), description="The first of these columns that is not blank.")
    path: str | None = Field(
        default=None,
        description="Indented texts are put behind those they stand below, with this between.",
    )
    path_from: int = Field(
        default=0, ge=0, description="How many outer levels of a `path` are left out."
    )
    default: str | None = Field(default=None, description="What a blank cell says.")
    numbers: bool = Field(
        default=False, description="A worksheet's whole number counts as a code: 8110 is `8110`."
    )
    optional: bool = Field(default=False, description="The file may be without it.")

    @model_validator(mode="after")
    def _one_source(self) -> "Column":
        said = [key for key in COLUMN_KEYS if key in self.model_fields_set]
        if set(said) - {"any", "match", "at"} and len(said) > 1:
            raise ValueError(f"a column has one of {', '.join(COLUMN_KEYS)}; found {said}")
        if not said:
            raise ValueError(f"a column has one of {', '.join(COLUMN_KEYS)}")
        if (self.split is None) != (self.part is None):
            raise ValueError('split and part go together: split = "-", part = 2')
        if strange := [each for each in self.beside if each not in self.any]:
            raise ValueError(f"beside speaks of spellings of `any`, and {strange[0]!r} is none")
        if (self.split or self.find) and self.of is None:
            raise ValueError("split and find take a piece of a column: name it with `of`")
        return self


def column_table(said: Any) -> Any:
    """A column as a table: a text or a list are the spellings of its header, a number its place."""
    if isinstance(said, str | list | tuple):
        return {"any": said}
    return {"at": said} if isinstance(said, int) and not isinstance(said, bool) else said


AnyColumn = Annotated[
    Column,
    BeforeValidator(column_table, json_schema_input_type=Column | str | tuple[str, ...] | int),
]


class Numbers(_Part):
    """How amounts are written."""

    decimal: Literal[".", ","] | None = Field(
        default=None,
        description="The decimal sign. Without it an amount such as 12.500 is asked about.",
    )
    thousands: str | None = Field(default=None, description="The sign between thousands.")
    sign: Literal[1, -1] = Field(
        default=1, description="-1 where the file has spending below zero."
    )
    blank: Literal["skip", "zero"] = Field(
        default="skip", description="Whether a blank cell says nothing, or 0."
    )
    none: Texts = Field(default=(), description='Texts that are as good as blank, such as "n/a".')
    zero: Texts = Field(default=(), description='Texts that say 0, such as "-".')
    round: Literal["cents"] | None = Field(
        default=None,
        description="Amounts finer than the currency are rounded, half to even; else refused.",
    )


Order = Literal["dmy", "mdy", "ymd"]


class Dates(_Part):
    """How dates are written."""

    order: Order | None = Field(
        default=None,
        description="The order of day, month and year. Without it 01/02/2026 is asked about, "
        "unless another date of the file, such as 31/01/2026, decides it.",
    )
    likely: Order | None = Field(
        default=None,
        description="As `order`, until a date of the file speaks against it; then it is asked.",
    )


class Periods(_Part):
    """When an amount counts: wide (one column a period) or long (one row a period)."""

    headers: Texts = Field(
        default=(),
        description="Wide: how headers are written, of {mon} {m} {mm} {yyyy} {yy} {q} {n} {date}: "
        '"Month ended {mon} {yyyy}". Without it every form that is known.',
    )
    repeat: str | None = Field(
        default=None, description="Wide: the header that all period columns have, in order."
    )
    begins: str | date | None = Field(
        default=None, description="Where the first of `repeat` begins: a named column, or a day."
    )
    day: str | None = Field(default=None, description="Long: the column of a day in the period.")
    start: str | None = Field(default=None, description="Long: the column of its first day.")
    end: str | None = Field(default=None, description="Long: the column of its last day.")
    name: str | None = Field(
        default=None, description="Long: the column of its name, written as `headers` say."
    )
    number: str | None = Field(
        default=None, description="Long: the column of its number in the fiscal year."
    )
    year: str | None = Field(
        default=None, description='The column of the (fiscal) year, or the year itself: "2026".'
    )
    step: Literal["month", "quarter", "year"] | None = Field(
        default=None, description="How long a period is that a day or a number names: a month."
    )
    dates_are: Literal["within", "start", "end"] = Field(
        default="within",
        description="Wide: whether a date in a header is any day of its period, its first, or its "
        "last; then the distance to the next says how long it is.",
    )
    whole: str | None = Field(
        default=None, description='One period for all amounts, such as "2026" or "FY2026".'
    )
    spread: tuple[Decimal, ...] = Field(
        default=(),
        description="The ratios by which a yearly amount is spread over the fiscal year's periods.",
    )


class Fiscal(_Part):
    """The calendar behind a fiscal year and the numbers of its periods."""

    starts: int | None = Field(
        default=None, ge=1, le=12, description="The month in which the year starts; January."
    )
    named: Literal["start", "end"] | None = Field(
        default=None,
        description="Whether a year has the name of the year in which it starts or ends.",
    )
    weeks: Literal["4-4-5", "4-5-4", "5-4-4"] | None = Field(
        default=None, description="Periods of whole weeks; `begins` says on which day."
    )
    begins: dict[str, date] = Field(
        default_factory=dict, description='The first day of each fiscal year: "2026" = 2025-12-28.'
    )


class Group(_Part):
    """Which columns make a budget."""

    ref: str = Field(
        default="ref",
        description="The column of its ref. Where the file has none, or it is blank throughout, "
        "each entity of the allocations is a budget by itself.",
    )
    name: str | None = Field(default=None, description="The column of its name; else the ref.")
    currency: str | None = Field(default=None, description="The column of its currency.")
    description: str | None = Field(default=None, description="The column of its description.")
    parent: str | None = Field(default=None, description="The column of its parent's ref.")
    owners: str | None = Field(default=None, description="The column of its owners, parted by `;`.")
    dimensions: dict[str, str] = Field(
        default_factory=dict, description="Dimensions by name, each with its column."
    )


class Share(_Part):
    """Which columns make an allocation of it; rows of one entity are summed."""

    entity: str | None = Field(default=None, description="The column of whom or what it is for.")
    type: str = Field(default="account", min_length=1, description="What that is.")
    name: str | None = Field(
        default=None, description="The column of the entity's name, where it is a budget by itself."
    )


class Recognise(_Part):
    """By what a file of this layout is known, besides its columns."""

    has: tuple[Pattern, ...] = Field(
        default=(), description="Regular expressions, each of which fits some cell near the top."
    )
    columns: int | None = Field(default=None, description="How many columns each row has.")
    nothing_else: bool = Field(
        default=False, description="The file has no columns but those named, and periods."
    )
    periods: int = Field(default=1, ge=0, description="How many columns are periods, at least.")


class Layout(_Part):
    """How a file means budgets."""

    like: str | None = Field(
        default=None, description="The ready-made layout that this one changes."
    )
    about: str = Field(default="", description="The product and the export.")
    currency: Annotated[str, AfterValidator(_unit)] | None = Field(
        default=None, description="The currency of rows that name none."
    )
    file: FileForm = Field(default_factory=FileForm)
    recognise: Recognise = Field(default_factory=Recognise)
    header: Header = Field(default_factory=Header)
    rows: Rows = Field(default_factory=Rows)
    columns: dict[str, AnyColumn] = Field(
        default_factory=dict, description="Named values and where each comes from."
    )
    ignore: Texts = Field(default=(), description="Headers of columns that mean nothing.")
    amount: str | None = Field(default=None, description="Long: the column of the amount.")
    numbers: Numbers = Field(default_factory=Numbers)
    dates: Dates = Field(default_factory=Dates)
    periods: Periods = Field(default_factory=Periods)
    fiscal: Fiscal = Field(default_factory=Fiscal)
    budget: Group = Field(default_factory=Group)
    allocation: Share = Field(default_factory=Share)

    @property
    def is_long(self) -> bool:
        """Whether a row holds one amount."""
        return self.amount is not None

    @field_validator("columns")
    @classmethod
    def _named(cls, columns: dict[str, Column]) -> dict[str, Column]:
        for name, column in columns.items():
            for other in (column.of, *column.first):
                if other == name:
                    raise ValueError(f"column {name} is made of itself")
        return columns

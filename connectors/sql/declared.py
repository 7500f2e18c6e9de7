"""What a database connector may be told in the settings file, and what a database can hold."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from canonical.allocation import Status
from canonical.kind import FIELDS, Kind
from connectors.contract.capabilities import Capabilities, Hold, Phasing
from connectors.contract.settings import Lines, SystemSettings, Unit
from connectors.layouts.setting import LayoutSetting
from connectors.sql.queries import ensure_only_reads, is_file

_UNSAID: Final = frozenset({"alerts"})
"""Fields that no column says."""
_SURE: Final = ("name", "amount", "currency")
"""Fields of a budget that each table of ours has a column for, or a setting."""


_TABLE: Final = r"^[^.\s][^.]*(\.[^.\s][^.]*)?$"


def _query(text: str) -> str:
    return text if is_file(text) else ensure_only_reads(text)


Query = Annotated[str, Lines(), Field(min_length=1), AfterValidator(_query)]


class SqlSettings(SystemSettings):
    """The keys of a system with connector = "sql"."""

    no_target: ClassVar[str] = (
        "a database is a source: what a query answers is only read; `budgets_table` names a table "
        "that is written, and `trueup actuals --into` writes actuals"
    )

    url: SecretStr = Field(
        description="SQLAlchemy's address of the database, as a reference: "
        "postgresql://reader:…@host/erp, sqlite:///erp.db, mysql+pymysql://…"
    )
    budgets: Query | None = Field(
        default=None,
        description="The query whose rows are budgets, or the file that holds it: `budgets.sql`. "
        "By a layout its rows may hold allocations too.",
    )
    allocations: Query | None = Field(
        default=None, description="The query whose rows are allocations, or the file that holds it."
    )
    budgets_table: str | None = Field(
        default=None,
        pattern=_TABLE,
        description='Instead of a query: the table of budgets in our own columns, as "table" or '
        '"schema.table"; its rows can be written too.',
    )
    allocations_table: str | None = Field(
        default=None,
        pattern=_TABLE,
        description="With budgets_table: the table of allocations in our own columns.",
    )
    layout: LayoutSetting = Field(
        default=None,
        description="What the columns of `budgets` mean: the name of a ready-made layout, a TOML "
        "file, or a table; without it they have our own names.",
    )
    allocations_layout: LayoutSetting = Field(
        default=None,
        description="By a layout: what the columns of `allocations` mean, where that is another.",
    )
    currency: Unit | None = Field(default=None, description="The currency of rows that name none.")
    empty: bool = Field(
        default=False,
        description="Whether `budgets` may answer with no row at all; else that is refused, as a "
        "database answers so too where this user may see nothing.",
    )
    timeout: int = Field(
        default=300, ge=1, le=86_400, description="Seconds that a statement may take."
    )
    actuals: str | None = Field(
        default=None,
        pattern=_TABLE,
        description='The table that keeps what was spent, as "table" or "schema.table".',
    )
    create_actuals: bool = Field(
        default=False, description="Whether that table is made where it is not there."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.budgets_table is not None and (self.budgets or self.allocations):
            raise ValueError("budgets_table stands instead of queries; leave out one of them")
        if self.allocations_table is not None and self.budgets_table is None:
            raise ValueError("allocations_table goes with budgets_table")
        if self.budgets_table is None and self.budgets is None and self.actuals is None:
            raise ValueError("a query in budgets is needed, or a table in budgets_table or actuals")
        if self.budgets is None and (self.allocations or self.layout is not None):
            raise ValueError("allocations and layout go with a query in budgets")
        if self.allocations_layout is not None and (self.layout is None or not self.allocations):
            raise ValueError("allocations_layout goes with layout and a query in allocations")
        return self

    @classmethod
    def bars_target(cls, raw: Mapping[str, Any]) -> str:
        """A table of budgets in our own columns may be a target; what a query answers may not."""
        return "" if raw.get("budgets_table") else cls.no_target

    def only_read(self) -> str:
        """Why no budget is changed; blank for tables in our own columns."""
        return "" if self.budgets_table else self.no_target

    def able(self, capabilities: Capabilities) -> Capabilities:
        """Of tables in our own columns those that each of them has are written too."""
        if not self.budgets_table:
            return capabilities
        budget = {**capabilities.budget, **dict.fromkeys(_SURE, Hold.EXACT)}
        shares = {**capabilities.allocation, "amount": Hold.EXACT}
        return replace(
            capabilities,
            budget=budget,
            allocation=shares if self.allocations_table else capabilities.allocation,
        )


CLEARED: Final = frozenset(
    {
        "description", "limits", "start", "end", "phases", "enforcement", "carry_over", "parent",
        "owners", "dimensions",
    }
)  # fmt: skip
"""What a cell of a table can be made empty of."""
CAPABILITIES: Final = Capabilities(
    vendor="sql",
    budget={each: Hold.READ_ONLY for each in FIELDS[Kind.BUDGET] if each not in _UNSAID},
    allocation={each: Hold.READ_ONLY for each in FIELDS[Kind.ALLOCATION] if each not in _UNSAID},
    native_entity_types=frozenset({"user"}),
    statuses=frozenset(Status),
    phasing=Phasing.ALL,
    below_zero=True,
    grace=timedelta(),
    unit_of_writing="none; actuals in one transaction",
    takes_actuals=frozenset(Kind),
)

"""Where VTEX's pages are silent, and where its builds and accounts differ: one switch for each."""

from typing import Literal

from pydantic import Field

from connectors.sandbox.api import SandboxSwitches


class VtexSwitches(SandboxSwitches):
    """Where VTEX's pages are silent, and where builds and accounts differ."""

    app_key: str = Field("app_key_sandbox", description="The key that the token belongs to.")
    user_token: str = Field("user_token_sandbox", description="A user's token.")
    reader: str = Field("user_token_readonly", description="A user's token with ViewBudget only.")
    tokens_only: bool = Field(False, description="Budgets take a user's token and no key pair.")
    token_seconds: int = Field(86_400, description="How long an exchanged token lives.")
    login: Literal["token", "refused", "wrapped", "tokenless"] = Field(
        "token", description="What a right pair gets: a token, 400, another shape, or no token."
    )
    units: tuple[str, ...] = Field(("unit-first",), min_length=1, description="The units.")
    created_is_201: bool = Field(False, description="A create is answered 201, not 200.")
    plain_types: bool = Field(False, description="All answers are application/json.")
    legacy_lists: bool = Field(False, description="Summaries as older builds have them.")
    bare_budgets: bool = Field(False, description="A budget does not show its allocations.")
    array_alerts: bool = Field(False, description="Allocations show alerts in the array form.")
    batch: Literal["whole", "until_bad", "skips_bad"] = Field(
        "whole", description="Of a batch with a bad part: nothing, what is before it, or the rest."
    )
    batch_answer: Literal["in_order", "reversed", "lacks_one"] = Field(
        "in_order", description="What a batch is answered with."
    )
    put_clears: bool = Field(False, description="PUT empties optional objects that are left out.")
    keeps_end: bool = Field(False, description="A cycle without an end date keeps the old one.")
    moves_cycles: bool = Field(False, description="A renewal moves the dates of the cycle.")
    hides_deleted: bool = Field(False, description="Deleted allocations are shown nowhere.")
    twins: bool = Field(False, description="One entity may have several allocations of a budget.")
    deletes_all: bool = Field(False, description="A budget goes with what hangs on it; else 409.")
    gone_is_409: bool = Field(False, description="Deleting a deleted allocation is 409, not 404.")
    adds_up: bool = Field(False, description="An allocation's amount moves its budget's total.")
    must_fit: bool = Field(False, description="Allocations may not exceed their budget; else 409.")
    capitals: bool = Field(False, description="Types of linked entities are put in capitals.")
    rounds: bool = Field(False, description="An allocation put anew is kept in whole numbers.")
    tidies: bool = Field(False, description="Names are trimmed.")
    largest_page: int = Field(1000, ge=1, description="No page holds more, whatever is asked.")

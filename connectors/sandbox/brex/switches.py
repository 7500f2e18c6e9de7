"""Where Brex's pages are silent, and where accounts differ: one switch for each."""

from typing import Literal

from pydantic import Field

from connectors.sandbox.api import SandboxSwitches


class BrexSwitches(SandboxSwitches):
    """Where Brex's pages are silent, and where accounts differ."""

    reader: str = Field("bxt_readonly", description="A token that may read and not write.")
    users: tuple[str, ...] = Field(
        ("cuuser_ada", "cuuser_grace"),
        description="Ids of a fresh account's users; cuuser_ada is ada@example.com. First: ours.",
    )
    known_users_only: bool = Field(True, description="Refuse ids of users that are not there.")
    reads_users: bool = Field(True, description="The token has the scope users.readonly.")
    departments: dict[str, str] | None = Field(
        None, description="Departments, id and name; without them the token may not list any."
    )
    legal_entities: dict[str, str] | None = Field(
        None, description="Legal entities, id and name; likewise."
    )
    ignores_email: bool = Field(False, description="The filter `email` of users does nothing.")
    budget_management: bool = Field(True, description="The account may write budgets at all.")
    bad_token_is_401: bool = Field(False, description="A wrong token is answered 401, not 403.")
    lenient_keys: bool = Field(False, description="A key with another body replays; else 409.")
    replay: Literal["answer", "nothing", "refused"] = Field(
        "answer", description="What a known key gets: the first answer, 200 without a body, or 409."
    )
    absent_last_cursor: bool = Field(False, description="`next_cursor` is left out, not null.")
    hides_archived: bool = Field(False, description="Archived objects leave the listings.")
    archives_below: bool = Field(False, description="What hangs below a budget is archived too.")
    archives_once: bool = Field(False, description="To archive again is refused with 409.")
    null_clears: bool = Field(False, description="A null in a budget's PUT empties the field.")
    tidies: bool = Field(False, description="Names are trimmed; we own what nobody owns.")
    json_429: bool = Field(False, description="429 has a body.")
    largest_page: int = Field(1000, ge=1, description="No page holds more, whatever is asked.")
    without_limits: bool = Field(False, description="A fresh account has no spend limit.")

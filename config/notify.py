"""Who is told how syncs stand: `[notify.NAME]`, by a webhook or by any service that Apprise knows.

An address that holds a secret is a reference; what it stands for is read when something is sent.
"""

import re
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from config.secrets import REFERENCE, is_reference
from config.tables import Table
from connectors.contract.settings import is_loopback

EventWord = Literal["failed", "guard", "approval", "waits", "drift", "recovered", "overdue"]

_REFERENCE: Final = {"pattern": REFERENCE}
_ADDRESS: Final = re.compile(r"https?://[^/\s?#\\@]+(/[^\s#\\]*)?")


def _reference(said: str) -> str:
    if not is_reference(said):  # not repeated: it may be the secret
        raise ValueError(
            "a secret is not written here; write a reference to it, such as env:TRUEUP_NOTIFY, "
            "file:PATH or keyring:SERVICE/NAME"
        )
    return said


Reference = Annotated[str, AfterValidator(_reference), Field(json_schema_extra=_REFERENCE)]


_ONE_OR_MORE: Final = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string", **_REFERENCE},
            {"type": "array", "items": {"type": "string", **_REFERENCE}},
        ]
    }
)


def _listed(said: object) -> object:
    return (said,) if isinstance(said, str) else said


def ensure_address(text: str, *, insecure: bool) -> str:
    """An address that a message can be posted to; raises `ValueError`, in which it is not named."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError("this is not an address such as https://hooks.example.com/trueup")
    plain = text.startswith("http://") and not is_loopback(urlsplit(text).hostname or "")
    if plain and not insecure:
        raise ValueError(
            "by http:// anybody on the way can read the message; write https://, or "
            "insecure = true where that is meant"
        )
    return text


class Notify(Table):
    """Somebody who is told when how a sync stands changes."""

    url: Annotated[tuple[Reference, ...], BeforeValidator(_listed), _ONE_OR_MORE] = Field(
        default=(),
        strict=False,
        description="References to the addresses of services, as Apprise writes them: "
        '"env:TRUEUP_SLACK", or a list; needs `pip install "trueup[notify]"`.',
    )
    insecure: bool = Field(
        default=False,
        description="Whether the webhook's messages may travel unencrypted to another machine.",
    )
    webhook: str | None = Field(
        default=None,
        description="An address that each message is posted to as JSON, or a reference to it.",
    )
    secret: Reference | None = Field(
        default=None, description="A reference to what the webhook's messages are signed with."
    )
    syncs: tuple[str, ...] = Field(
        default=(), strict=False, description="Of which syncs it is told; default: of all."
    )
    events: tuple[EventWord, ...] = Field(
        default=(),
        strict=False,
        description="What it is told: failed, guard, approval, waits, drift, recovered, overdue; "
        "default: all of it.",
    )

    @field_validator("webhook")
    @classmethod
    def _is_address(cls, said: str | None, told: ValidationInfo) -> str | None:
        if said is not None and not is_reference(said):
            ensure_address(said, insecure=bool(told.data.get("insecure")))
        return said

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if bool(self.url) == (self.webhook is not None):
            raise ValueError("it needs either `url`, for Apprise, or `webhook` with `secret`")
        if (self.webhook is None) != (self.secret is None):
            raise ValueError("`webhook` and `secret` belong together: each message is signed")
        return self

    def wants(self, event: str, sync: str) -> bool:
        """Whether it is told that of that sync."""
        return (not self.syncs or sync in self.syncs) and (not self.events or event in self.events)

"""The users of a BILL company, as listed: found by id, by uuid and by email."""

from base64 import b64decode
from collections.abc import Iterable
from typing import Final

from connectors.bill.wire import BillUser

UUID: Final = "usr_"
"""How the other spelling of a user's id begins; paths take both, answers are compared by `id`."""


class Users:
    """All users that a listing showed, and those made since."""

    def __init__(self, listed: Iterable[BillUser] = ()) -> None:
        self._by_id: dict[str, BillUser] = {}
        self._by_email: dict[str, BillUser] = {}
        for user in listed:
            self.add(user)

    def add(self, user: BillUser) -> None:
        """Take note of one; of several in use with one email the first is meant."""
        for id in (user.id, user.uuid):
            if id is not None:
                self._by_id.setdefault(id, user)
        if user.email and not user.retired:
            self._by_email.setdefault(user.email.casefold(), user)

    def named(self, id: str) -> BillUser | None:
        """The user with that id or uuid, retired or not."""
        return self._by_id.get(id)

    def with_email(self, email: str) -> BillUser | None:
        """The user in use with that email, in any case."""
        return self._by_email.get(email.casefold())


def may_be_an_id(text: str) -> bool:
    """Whether it has the form of BILL's own ids: usr_…, or base64 of User:number."""
    if text.startswith(UUID):
        return True
    try:
        return b64decode(text, validate=True).startswith(b"User:")
    except ValueError:
        return False

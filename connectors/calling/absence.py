"""Absence: what "not found" proves as an answer, and what it does not.

It may come from a cache, a replica or a gateway. An object is gone when a listing, or a read of it,
that otherwise works does not show it.
"""

from collections.abc import Callable
from typing import Any

from connectors.calling.paging import Fetch
from connectors.contract.errors import Missing, Transient


def prove_gone(answered: Missing, shows: Callable[[], bool]) -> None:
    """After a removal was `answered` so; raises `Transient` where a look `shows` the object."""
    if shows():
        said = f"{answered.message}, and it is there all the same"
        raise Transient(said, call=answered.call, hint=answered.hint) from answered


def of_a_listing(fetch: Fetch) -> Fetch:
    """`fetch`, for a listing of what stands below no object: not to find it says of none that it
    is gone, and is `Transient`."""

    def fetched(token: str | None) -> Any:
        try:
            return fetch(token)
        except Missing as error:
            raise Transient(error.message, call=error.call, hint=error.hint) from error

    return fetched

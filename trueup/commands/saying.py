"""What a person says of an object: shown, asked about unless that is not wanted, and then done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import typer

from sync.outcome import Exit
from trueup.output import plain

if TYPE_CHECKING:
    from trueup.session import Session


class _Said(Protocol):
    @property
    def done(self) -> bool:
        """Whether it was done."""

    def to_data(self) -> dict[str, Any]:
        """As JSON-ready data."""


_S = TypeVar("_S", bound=_Said)


def say(
    session: Session,
    act: Callable[[Callable[[_S], bool]], _S],
    lines: Callable[[_S], Iterator[str]],
    question: Callable[[_S], str],
    *,
    yes: bool,
    past: str,
    then: str,
) -> int:
    """Let `act` do it once its argument has approved: who says `yes` is shown it afterwards, others
    are asked. `past` says what was done in a word, `then` what comes of it."""

    def approve(found: _S) -> bool:
        if yes:
            return True
        _tell(session, lines(found))
        return typer.confirm(question(found), err=True)

    found = act(approve)
    if session.as_json:
        session.print(found.to_data())
    elif not found.done:
        session.console.say(f"not approved; nothing was {past}")
    else:
        if yes:
            _tell(session, lines(found))
        session.console.say(plain(f"{past}; {then}"))
    return Exit.OK if found.done else Exit.PARTIAL


def _tell(session: Session, lines: Iterator[str]) -> None:
    for line in lines:
        session.console.say(plain(line))

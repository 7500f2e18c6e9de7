"""The error of a command that cannot be carried out as it was typed; exit code 2."""

from enum import StrEnum
from typing import TypeVar

_Form = TypeVar("_Form", bound=StrEnum)


class Refusal(Exception):
    """The message says why, and what would be right."""


def form_said(said: str, forms: type[_Form]) -> _Form:
    """The one of `forms` that was said with --format; raises `Refusal` for a word that is none."""
    if said not in list(forms):
        raise Refusal(f"--format {said} is not known; it is one of {', '.join(forms)}")
    return forms(said)

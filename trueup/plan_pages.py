"""A plan as something to send: a page of HTML, or Markdown, in one piece."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from canonical.change import Conflict, Plan
from trueup.output import plain
from trueup.planned import counted, entries, later, losses, named, next_steps, renames, sides, sums
from trueup.refusal import form_said
from trueup.selected import rates, selection
from trueup.waits import waits

FOLDER: Final = Path(__file__).parent / "pages"
_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>|~&]|^(?:[#+=-]|\d+(?=[.)]))")
"""What means something in a line of Markdown, or at its beginning."""


class Form(StrEnum):
    """How a plan is told."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def form_of(said: str) -> Form:
    """The form of that name; raises `Refusal` for a word that is none."""
    return form_said(said, Form)


def page(form: Form, plan: Plan) -> str:
    """The plan as a page of HTML, or as Markdown.

    The page has its styles in it, asks no other host for anything and runs nothing. In neither
    does a name of an object mean anything but itself.
    """
    is_page = form is Form.HTML
    pages = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters["plain"] = plain if is_page else _escaped
    return pages.get_template("plan.html" if is_page else "plan.md").render(told(plan))


def _escaped(text: object) -> str:
    return _SPECIAL.sub(_spelled, plain(text))


def _spelled(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def told(plan: Plan) -> Mapping[str, Any]:
    """What a page of the plan tells, by the names that the templates use."""
    return {
        "plan": plan,
        "entries": [*entries(plan.changes, plan.as_of, sides(plan))],
        "sums": sums(plan),
        "later": later(plan),
        "counted": counted(plan),
        "sections": {name: lines for name, lines in _sections(plan).items() if lines},
    }


def _sections(plan: Plan) -> Mapping[str, list[str]]:
    """What is told line by line below the changes, by its heading."""
    more = plan.stranger_count - len(plan.strangers)
    return {
        "What it carries": [*(said for _, said in selection(plan)), *rates(plan)],
        "What the target does not hold as it is": [
            f"{count} × {name}: {reason}" for name, count, reason in losses(plan.changes)
        ],
        "What a person has to look at": [
            *(f"{each.kind} {each.ref}: {each.reason}{_ids(each)}" for each in plan.conflicts),
            *(f"{each.system}: {each.where}: {each.message}" for each in plan.problems),
        ],
        "What may be the same under another ref": renames(plan),
        "What waits for a decision": list(waits(plan.waits, whole=True)),
        "Taken over from another sync": [
            f"{each.kind} {each.ref} from {each.giver} ({each.target_id})"
            for each in plan.handovers
        ],
        "In the target, and not stated": [
            *(f"{named(each)} stays: {each.reason}" for each in plan.kept_objects),
            *(f"{named(each)}: nobody stated it" for each in plan.strangers),
            *([f"… and {more} more that nobody stated"] if more > 0 else []),
        ],
        "Next": next_steps(plan),
    }


def _ids(conflict: Conflict) -> str:
    return f" ({', '.join(conflict.candidates)})" if conflict.candidates else ""

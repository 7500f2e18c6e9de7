"""The two forms of a log record: a line of text, and a JSON object on a line.

What is in a record may be shown already: `config.logs` has seen to that.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from connectors.contract.work import NAMES

_PLAIN: Final = re.compile(r"[^\s\"'=]+")
_RUN: Final = 12
"""So much of a run's id is shown to people, as everywhere else."""


def formatter(form: str) -> logging.Formatter:
    """What makes "text" of a record, or "json"."""
    json_of: list[Processor] = [_data, structlog.processors.JSONRenderer()]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_gathered],
        processors=json_of if form == "json" else [_text],
        use_get_message=False,
    )


def _gathered(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """What the record tells of what is worked on, and what went wrong."""
    record = event["_record"]
    for name in NAMES:
        if (value := getattr(record, name, None)) is not None:
            event[name] = value
    wrong = [each for each in (record.exc_text, record.stack_info) if each]
    if wrong:
        event["exception"] = "\n".join(wrong)
    return event


def _data(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    record = event["_record"]
    head = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": method,
        "logger": record.name,
    }
    return head | _told(event)


def _text(logger: WrappedLogger, method: str, event: EventDict) -> str:
    record, told = event["_record"], _told(event)
    at = datetime.fromtimestamp(record.created).astimezone()
    said = [f"{at:%H:%M:%S}", record.levelname, record.name, told.pop("event")]
    below = told.pop("exception", None)
    if "run" in told:
        told["run"] = told["run"][:_RUN]
    said += [f"{name}={_quoted(value)}" for name, value in told.items()]
    return " ".join(said) if below is None else f"{' '.join(said)}\n{below}"


def _told(event: EventDict) -> dict[str, Any]:
    ours = ("event", *NAMES, "exception")
    return {name: event[name] for name in ours if name in event}


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)

"""What a table that has a schedule may say of it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from config.tables import Table

if TYPE_CHECKING:
    from datetime import tzinfo

    from sync.schedule import Schedule

_JITTER: Final = re.compile(r"^([1-9][0-9]{0,3})([smh])$")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_MOST: Final = 86400


def _jitter(said: str) -> str:
    if _seconds(said) is None:
        raise ValueError(f'"{said:.40}" is not a time up to a day such as "30s", "5m" or "1h"')
    return said


def _seconds(said: str) -> int | None:
    found = _JITTER.fullmatch(said)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else _MOST + 1
    return seconds if seconds <= _MOST else None


def _window(said: str) -> str:
    from sync.blackout import Window

    Window.of(said)
    return said


def _zone_of(name: str) -> tzinfo:
    """The time zone of that name; raises `ValueError` that says which one is meant."""
    from zoneinfo import ZoneInfo, available_timezones

    known = available_timezones()
    if name in known:
        return ZoneInfo(name)
    alike = {each.lower(): each for each in sorted(known)}
    ends = {each.rpartition("/")[2]: each for each in sorted(alike)}
    said = name.strip().lower().replace(" ", "_")
    close = get_close_matches(said, alike, 1, 0.75) or [
        ends[each] for each in get_close_matches(said.rpartition("/")[2], ends, 1, 0.75)
    ]
    hint = f'did you mean "{alike[close[0]]}"?' if close else 'there are such as "Europe/Berlin"'
    raise ValueError(f'no time zone is named "{name:.60}"; {hint}')


class Scheduled(Table):
    """When `trueup serve` does what a table is of."""

    timezone: str | None = Field(
        default=None,
        description='The time zone of `schedule` and `blackout`, such as "Europe/Berlin"; default: '
        "the machine's.",
    )
    jitter: Annotated[str, AfterValidator(_jitter)] | None = Field(
        default=None,
        description='Up to how much later each slot is run, "30s", "5m" or "1h": always the same '
        "for one slot, and not the same for two syncs.",
    )
    blackout: tuple[Annotated[str, AfterValidator(_window)], ...] = Field(
        default=(),
        strict=False,
        description='When no scheduled run begins: "22:00-06:00", "sat,sun" or '
        '"2026-12-24..2026-12-31". A slot inside is run when the window ends, several as one.',
    )
    schedule: str | None = Field(
        default=None,
        description='When `trueup serve` does it: cron ("*/15 * * * *") or "every 15 minutes". '
        "Without it, it is done only when told to.",
    )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None:
            _zone_of(name)
        return name

    @field_validator("schedule")
    @classmethod
    def _comes(cls, text: str | None, info: ValidationInfo) -> str | None:
        """Whether it parses; what stands before it is only known where it is right itself."""
        if text is not None:
            _parsed(text, "", **{name: info.data.get(name) for name in _BEFORE})
        return text

    def parsed(self, name: str) -> Schedule | None:
        """The schedule of what is called `name`; None where it has none."""
        if self.schedule is None:
            return None
        return _parsed(self.schedule, name, self.timezone, self.jitter, self.blackout)


_BEFORE: Final = ("timezone", "jitter", "blackout")


def _parsed(
    text: str,
    name: str,
    timezone: str | None = None,
    jitter: str | None = None,
    blackout: tuple[str, ...] | None = None,
) -> Schedule:
    from sync.schedule import parse_schedule  # only a file with a schedule pays for it

    return parse_schedule(
        text,
        _zone_of(timezone) if timezone else None,
        sync=name,
        jitter=_seconds(jitter) or 0 if jitter else 0,
        blackout=blackout or (),
    )

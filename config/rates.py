"""Rates as the engine has them: from the settings of the system that follows, or from their file.

The file is read for each run, so that a service sees the day's rates.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from canonical.rate import Rate
from config.load import SettingsError, SettingsProblem
from config.settings import Settings
from connectors.contract import registry
from connectors.contract.rating import RatesSettings, pair_of, rate_of
from connectors.contract.settings import SystemSettings
from sync.intake.rates import Rates

_COLUMNS: Final = ("date", "from", "to", "rate")
_MANY: Final = 20


def currency_of(own: SystemSettings) -> str | None:
    """The only currency that a system of these settings holds; None where it holds each as is."""
    able = registry.load(own.connector).capabilities
    said = getattr(own, "currency", None) if able.one_currency else None
    return said if isinstance(said, str) else None


def rates_of(settings: Settings, system: str) -> Rates | None:
    """At which rates amounts are converted for that system; None where its settings say none.

    Raises `SettingsError` with every row that cannot be used.
    """
    own = settings.systems.get(system)
    said = own.rates if own is not None else None
    to = currency_of(own) if own is not None and said is not None else None
    if said is None or to is None:
        return None
    if said.file is None:
        return _of_pairs(said, to)
    return _of_file(said, to, settings.base / said.file, _place(settings, system))


def _of_pairs(said: RatesSettings, to: str) -> Rates:
    pairs = {pair_of(pair): value for pair, value in said.pairs.items()}
    rates = {unit: (Rate(unit, to, value),) for (unit, into), value in pairs.items() if into == to}
    return Rates(
        to=to,
        rates=rates,
        rounding=said.rounding,
        max_age=said.max_age_days,
        inverses=frozenset(into for unit, into in pairs if unit == to),
        said=_said(said, to),
    )


def _of_file(said: RatesSettings, to: str, file: Path, place: SettingsProblem) -> Rates:
    book = _Book(file, to)
    try:
        problems = [*book.read()]
    except (OSError, csv.Error, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a CSV file in UTF-8"
        message = f"{file} cannot be read: {reason}"
        raise SettingsError(
            [SettingsProblem(place.file, place.line, place.where, message)]
        ) from None
    if problems:
        raise SettingsError(problems[:_MANY])
    return Rates(
        to=to,
        rates={unit: tuple(days[day] for day in sorted(days)) for unit, days in book.rates.items()},
        rounding=said.rounding,
        max_age=said.max_age_days,
        inverses=frozenset(book.inverses),
        said=_said(said, to),
    )


class _Book:
    """The rows of a file that convert into one currency; those of other pairs are passed over."""

    def __init__(self, file: Path, to: str) -> None:
        self._file, self._to = file, to
        self.rates: dict[str, dict[date, Rate]] = defaultdict(dict)
        self.inverses: set[str] = set()

    def read(self) -> Iterator[SettingsProblem]:
        """Take all rows; yields those that cannot be used."""
        with self._file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.reader(opened, strict=True)
            header = [cell.strip() for cell in next(reader, [])]
            if absent := [each for each in _COLUMNS if each not in header]:
                message = f"no column {', '.join(absent)}; the columns are {','.join(_COLUMNS)}"
                yield SettingsProblem(self._file, 1, "", message)
                return
            at = [header.index(each) for each in _COLUMNS]
            for row in reader:
                if len(row) > len(header):
                    message = "more cells than the header has; a rate is written 1.0850"
                    yield SettingsProblem(self._file, reader.line_num, "", message)
                elif any(cell.strip() for cell in row):
                    cells = [row[index].strip() if index < len(row) else "" for index in at]
                    yield from self._take(cells, reader.line_num)

    def _take(self, cells: Sequence[str], line: int) -> Iterator[SettingsProblem]:
        day, unit, to, number = cells
        if to != self._to:
            if unit == self._to:
                self.inverses.add(to)
            if to:
                return
        for column, cell in zip(_COLUMNS, cells, strict=True):
            if not cell:
                yield SettingsProblem(self._file, line, column, "the cell is empty")
                return
        try:
            pair_of(f"{unit}/{to}")
            rate = Rate(unit, to, rate_of(number), _day(day))
        except ValueError as error:
            yield SettingsProblem(self._file, line, f"{unit}/{to}", str(error))
            return
        assert rate.day is not None
        if rate.day in self.rates[unit]:
            message = f"a second rate of {rate.day}"
            yield SettingsProblem(self._file, line, f"{unit}/{to}", message)
        self.rates[unit][rate.day] = rate


def _day(text: str) -> date:
    try:
        if len(text) == len("2026-03-02"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f'"{text}" is not a date such as 2026-03-02')


def _said(said: RatesSettings, to: str) -> str:
    """What a plan is bound to: where rates come from, and how they round; not what they are."""
    place = said.file or "the settings"
    age = "" if said.max_age_days is None else f", up to {said.max_age_days} days old"
    return f"into {to} from {place}, {said.rounding.value}{age}"


def _place(settings: Settings, system: str) -> SettingsProblem:
    path = ("systems", system, "rates", "file")
    return SettingsProblem(settings.origin.file, settings.origin.line(path), ".".join(path), "")

"""What was spent of budgets, as the systems that tell it were last asked: by a person's button.

The state does not keep it, and pages ask no system; so it stands beside what the state knows, with
the moment at which it was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import cast

from canonical.kind import Kind
from canonical.spent import Spent
from sync.watch import Watch
from trueup.web.holdings import Holding, Row
from trueup.web.jobs import Job
from trueup.web.site import Site

KIND = "spent"


@dataclass(frozen=True, slots=True)
class Use:
    """What was spent of a budget, over all systems that tell it; `remaining` of what is stated is
    below nothing where more was. `share` is what was spent as a share of what is stated."""

    spent: Decimal
    unit: str
    remaining: Decimal | None
    share: Decimal | None

    @property
    def is_over(self) -> bool:
        """Whether more was spent than is stated."""
        return self.remaining is not None and self.remaining < 0

    def width(self, whole: int) -> int:
        """How much of a bar `whole` wide is full."""
        return max(0, min(whole, int((self.share or 0) * whole)))


class Spending:
    """What was last read, by sync and ref."""

    def __init__(self, site: Site) -> None:
        self._found: dict[tuple[str, str], list[Spent]] = {}
        self.jobs: Mapping[str, Job[Sequence[Spent]] | None] = {
            name: cast("Job[Sequence[Spent]] | None", site.jobs.last(KIND, name))
            for name in site.workspace.telling
        }
        for name in self.jobs:
            good = cast(
                "Job[Mapping[tuple[str, str], list[Spent]]] | None", site.jobs.good(KIND, name)
            )
            if good is not None and good.made is not None:
                self._found |= good.made
        ended = [
            good.ended
            for name in self.jobs
            if (good := site.jobs.good(KIND, name)) is not None and good.ended is not None
        ]
        self.read_at: datetime | None = min(ended, default=None)

    @property
    def goes_on(self) -> bool:
        """Whether it is being read."""
        return any(each is not None and each.goes_on for each in self.jobs.values())

    @property
    def failed(self) -> dict[str, str]:
        """Why a system did not tell, by its name."""
        return {
            name: each.error
            for name, each in self.jobs.items()
            if each is not None and each.error is not None
        }

    def of(self, holding: Holding, ref: str) -> Sequence[Spent]:
        """What one system has seen spent of a budget."""
        return self._found.get((holding.sync, ref), ())

    def use(self, row: Row) -> Use | None:
        """What was spent of a budget in all; None where nobody told it, or not in one currency."""
        told = [each for own in row.holdings.values() for each in self.of(own, row.ref)]
        amounts = [each.spent for each in told if each.spent is not None]
        units = {each.unit for each in amounts}
        if len(units) != 1:
            return None
        (unit,), spent = units, sum((each.value for each in amounts), Decimal(0))
        stated = row.stated
        if stated is None or stated.unit != unit or not _is_alike(row):
            return Use(spent, unit, None, None)
        share = None if not stated.amount else spent / stated.amount
        return Use(spent, unit, stated.amount - spent, share)


def read(site: Site) -> None:
    """Ask every system that tells it, in the background."""
    for name in site.workspace.telling:
        site.jobs.start(KIND, name, partial(_read, site, name))


def _read(site: Site, name: str, watch: Watch) -> Mapping[tuple[str, str], list[Spent]]:
    watch.stage(f"asking {name}")
    found: dict[tuple[str, str], list[Spent]] = {}
    for each in _linked(site, name, watch):
        found.setdefault((str(each.sync), str(each.ref)), []).append(each)
    return found


def _linked(site: Site, name: str, watch: Watch) -> Iterator[Spent]:
    for each in site.workspace.spending(name, shares=False):
        if watch.stop.is_set():
            raise InterruptedError("the console ends")
        if each.kind is Kind.BUDGET and each.sync is not None:
            yield each


def _is_alike(row: Row) -> bool:
    """Whether what is held counts for as long as what is stated: else neither leaves a rest."""
    stated = row.stated
    return all(
        each.held is None or stated is None or each.held.cadence is stated.cadence
        for each in row.holdings.values()
    )

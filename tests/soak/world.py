"""All of a soak: a database, vendors with an ERP for each, and the processes that keep them true."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sync.state.journal import State
from tests.scenarios.mortal_vendors import VENDORS
from tests.soak.database import Database, database
from tests.soak.erp import Erp
from tests.soak.judging import wrongly_held
from tests.soak.processes import Service, once
from tests.soak.settings import secrets, settings
from tests.soak.vendors import Vendor, vendor

PROCESSES = [("one", "serve", True), ("two", "serve", False)]
"""Each process: its name, its command, and whether it is spared, so that what it holds is measured
from its beginning to the end."""

_OPEN = [State.PLANNED, State.SENT, State.UNCERTAIN]


@dataclass
class World:
    """What a soak is made of. `deeds` counts what was done to it; `seconds` is between two runs."""

    folder: Path
    chance: Random
    database: Database
    vendors: Sequence[Vendor]
    seconds: int
    deeds: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.erps = {
            each.name: Erp(
                self.folder / f"{each.name}.json", VENDORS[each.name].entity, self.chance
            )
            for each in self.vendors
        }
        text = settings(self.vendors, self.seconds)
        (self.folder / "trueup.toml").write_text(text, encoding="utf-8")
        self.secrets = secrets(self.vendors, self.database.url)
        self.services = [
            Service(name, command, self.folder, self.secrets, spared=spared)
            for name, command, spared in PROCESSES
        ]

    def runs(self, after: int = 0) -> Counter[tuple[str, str | None]]:
        """How many runs of each sync ended in each way, of those with a later number."""
        counted = "SELECT sync, outcome, count(*) FROM runs WHERE number > %s GROUP BY 1, 2"
        found = self.database.rows(counted, after)
        return Counter({(sync, outcome): times for sync, outcome, times in found})

    def last(self) -> int:
        """The number of the last run that began."""
        return int(self.database.rows("SELECT coalesce(max(number), 0) FROM runs")[0][0])

    def is_quiet(self, since: int) -> bool:
        """Whether each sync had two good runs since that one, and nothing is left open."""
        ended = self.runs(since)
        return all(ended[f"to-{each.name}", "ok"] > 1 for each in self.vendors) and not self.open()

    def open(self) -> int:
        """How many operations nobody knows the end of."""
        asked = "SELECT count(*) FROM operations WHERE state = ANY(%s)"
        return int(self.database.rows(asked, [str(each) for each in _OPEN])[0][0])

    def calm(self) -> None:
        """Nothing changes and nothing goes wrong from now on, and every process is there."""
        for each in self.vendors:
            each.calm()
        for service in self.services:
            if service.frozen:
                service.thaw()
            service.start()

    def wrong(self) -> Iterator[str]:
        """What is otherwise than stated at the vendors, and what the state says is unsettled."""
        for at in self.vendors:
            yield from wrongly_held(at, self.erps[at.name])
        if left := self.open():
            yield f"{left} operations are open in the journal"
        code, said = once(self.folder, self.secrets, "audit", "--check")
        if code:
            yield f"the audit is not whole: {said.strip()}"
        _, said = once(self.folder, self.secrets, "status", "--json")
        for each in json.loads(said)["syncs"]:
            for what in ("uncertain", "waiting", "paused"):
                if each[what]:
                    yield f"{each['sync']}: {each[what]} {what}"

    def end(self) -> Iterator[str]:
        """End the processes as an operator does; what that leaves behind is wrong."""
        for service in self.services:
            if (code := service.end()) != 0:
                yield f"{service.name} ended with {code}"
        if not until(lambda: self.database.connections() == 0, 5):
            yield f"{self.database.connections()} connections are left"


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def world(folder: Path, names: Sequence[str], chance: Random, seconds: int) -> Iterator[World]:
    """It, with no process started yet; what runs at the end is killed."""
    with ExitStack() as stack:
        state = stack.enter_context(database(folder / "postgresql"))
        vendors = [stack.enter_context(vendor(name)) for name in names]
        made = World(folder, chance, state, vendors, seconds)
        try:
            yield made
        finally:
            for service in made.services:
                if service.lives:
                    service.kill()

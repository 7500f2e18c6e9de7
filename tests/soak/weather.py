"""What happens to a world: by chance for minutes, or a few things of each kind, one after another."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import psycopg

from connectors.sandbox.faults import Fault, Rule
from tests.soak.judging import grown, leaked, thirds
from tests.soak.processes import Size
from tests.soak.vendors import fault
from tests.soak.world import World, until

T = TypeVar("T")

_CALM = 300.0
"""Seconds after which a round without a fault must have been there."""
_LONG = 300.0
"""A soak that is shorter says nothing about growth."""


class Weather:
    """Chance at work on a world; `say` is told each minute how things are."""

    def __init__(self, world: World, say: Callable[[str], None]) -> None:
        self._world, self._say, self._chance = world, say, world.chance
        self._began = time.monotonic()
        self.sizes: dict[str, list[Size]] = {each.name: [] for each in world.services}
        self.connections: list[int] = []

    def last(self, seconds: float) -> None:
        """Let it blow for so long."""
        due = {self._step: 0.0, self._measure: 0.0, self._tell: 60.0}
        every = {self._step: 0.7, self._measure: 2.0, self._tell: 60.0}
        while (gone := time.monotonic() - self._began) < seconds:
            for deed, at in due.items():
                if gone >= at:
                    deed()
                    due[deed] = gone + every[deed]
            time.sleep(0.1)

    def grown(self) -> Iterator[str]:
        """What the spared processes, and the database, have more of at the end."""
        if time.monotonic() - self._began < _LONG:
            return
        for service in self._world.services:
            if service.spared:
                yield from grown(service.name, self.sizes[service.name])
        warm = self.connections[len(self.connections) // 5 :]
        third = len(warm) // 3
        yield from leaked("connections of the database", warm[:third], warm[-third:])

    def table(self) -> Iterator[str]:
        """What was done, and what was measured."""
        yield "done: " + ", ".join(f"{n} {what}" for what, n in sorted(self._world.deeds.items()))
        for (sync, outcome), times in sorted(self._world.runs().items(), key=str):
            yield f"{sync}: {times} × {outcome or 'no end'}"
        for each in self._world.vendors:
            yield f"{each.name}: {each.calls()} calls, {len(each.held())} live objects"
        for name, sizes in self.sizes.items():
            if len(sizes) > 15:
                for which, part in zip(("first", "last"), thirds(sizes), strict=True):
                    yield f"{name}, {which} third: {_sizes(part)}"

    def _step(self) -> None:
        ways = {
            self._change: 40, self._edit: 16, self._fault: 16, self._kill: 2,
            self._freeze: 2, self._restart: 1, self._cut: 0.5,
        }  # fmt: skip
        for service in self._world.services:
            if service.frozen and self._chance.random() < 0.1:
                service.thaw()
            elif not service.lives and self._chance.random() < 0.3:
                service.start()
        self._chance.choices(list(ways), list(ways.values()))[0]()

    def _change(self) -> None:
        self._chance.choice(list(self._world.erps.values())).change()
        self._world.deeds["changes of the ERP"] += 1

    def _edit(self) -> None:
        self._chance.choice(self._world.vendors).edit(self._chance)
        self._world.deeds["edits at a vendor"] += 1

    def _fault(self) -> None:
        self._chance.choice(self._world.vendors).goes_wrong(fault(self._chance))
        self._world.deeds["faults"] += 1

    def _kill(self) -> None:
        for service in self._world.services:
            if not service.spared and service.lives:
                service.kill()
                self._world.deeds["kills"] += 1
                return

    def _restart(self) -> None:
        """Of a service, as an operator does."""
        for service in self._world.services:
            if not service.spared and service.lives and not service.frozen:
                self._world.deeds["restarts of a service"] += 1
                if service.end() is None:
                    self._world.deeds["services that did not end in 30 s"] += 1
                service.start()
                return

    def _freeze(self) -> None:
        running = [each for each in self._world.services if each.lives and not each.frozen]
        if running:
            self._chance.choice(running).freeze()
            self._world.deeds["freezes"] += 1

    def _cut(self) -> None:
        self._world.database.restart(self._chance.uniform(0, 3))
        self._world.deeds["restarts of the database"] += 1

    def _measure(self) -> None:
        for service in self._world.services:
            if service.lives:
                self.sizes[service.name].append(service.size())
        self.connections.append(self._world.database.connections())

    def _tell(self) -> None:
        gone = round((time.monotonic() - self._began) / 60)
        ended = self._world.runs()
        good = sum(times for (_, outcome), times in ended.items() if outcome == "ok")
        now = "; ".join(f"{name} {_sizes(all[-1:])}" for name, all in self.sizes.items() if all)
        self._say(
            f"{gone} min: {ended.total()} runs, {good} ok; {now}; {self.connections[-1]} conn."
        )


def _sizes(sizes: Sequence[Size]) -> str:
    memory = sum(each.memory for each in sizes) / len(sizes) / 1e6
    files, threads = (min(getattr(each, what) for each in sizes) for what in ("files", "threads"))
    return f"{memory:.1f} MB, {files} files, {threads} threads"


def brief(world: World) -> Iterator[str]:
    """One of each, in an order of its own; tells what never came about.

    The service that is killed does not come back: the other one ends what it began.
    """
    (vendor,), erp = world.vendors, world.erps[world.vendors[0].name]
    for service in world.services:
        service.start()
    lost = Rule(kind=Fault.LOST_ANSWER, writes=True, times=2, skip=3)
    vendor.goes_wrong(lost)
    steps: list[tuple[str, Callable[[], None]]] = [
        ("a write whose answer is lost", lambda: None),
        ("a kill", lambda: world.services.pop().kill()),
        ("a restart of the database", lambda: world.database.restart(0)),
    ]
    for name, deed in steps:
        deed()
        since = _last(world)
        erp.change()
        vendor.edit(world.chance)
        if not until(lambda since=since: _good(world, since), 120):
            yield f"no good run after {name}"
    if lost.struck != lost.times:
        yield "no answer was lost"


def _last(world: World) -> int:
    until(lambda: _asked(world.last) is not None, 60)
    return world.last()


def _good(world: World, since: int) -> bool:
    ended = _asked(lambda: world.runs(since))
    return bool(ended and any(outcome == "ok" for _, outcome in ended))


def _asked(ask: Callable[[], T]) -> T | None:
    """None while the state is away, or not made yet."""
    try:
        return ask()
    except psycopg.Error:
        return None


def settle(world: World) -> Iterator[str]:
    """Calm it and wait for a quiet round; tells what is wrong then, and after the end."""
    world.calm()
    since = _last(world)
    if not until(lambda: bool(_asked(lambda: world.is_quiet(since))), _CALM):
        yield f"no quiet round in {_CALM:.0f} s: {dict(world.runs(since))}"
    yield from world.end()
    yield from world.wrong()

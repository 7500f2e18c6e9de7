"""How the faults are tried: pytest collects once, and each fault has a process of its own, forked
from that, which runs the tests that come by the fault until the first fails.

A plugin of pytest, in the copy of the code; `Trial` says what is tried, and gets what was found.
"""

import gc
import json
import os
import resource
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

from tests.mutation.mutants import Mutant

KILLED, SURVIVED, UNREACHED, OVERDUE = "killed", "survived", "unreached", "overdue"


@dataclass
class Trial:
    """What is tried, and what was found: `results` are by the fault's name."""

    mutants: list[Mutant]
    results: dict[str, str]
    reached_in: Path
    """A file: which test comes by which function, and how many seconds of a processor it takes."""
    seconds: float
    """Of a processor: what the tests of one fault may take, as they take without it."""
    processes: int
    said: Callable[[Mutant, str], None]
    running: dict[int, tuple[Mutant, float]] = field(default_factory=dict)

    def pytest_configure(self, config):
        """An example that fails is enough: to look for a smaller one takes minutes."""
        from hypothesis import Phase, settings  # not before pytest has prepared it

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("faults", phases=phases, derandomize=True, database=None)
        settings.load_profile("faults")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        """Instead of running all tests once."""
        if session.testsfailed:
            return True
        items = {item.nodeid: item for item in session.items}
        reached = self._reached(session, items)
        gc.freeze()
        for mutant in self.mutants:
            if mutant.name in self.results:
                continue
            tests = chosen(mutant, reached.get(mutant.function, {}), self.seconds)
            if not tests:
                self._found(mutant, UNREACHED)
                continue
            while len(self.running) >= self.processes:
                self._wait()
            spends = sum(reached[mutant.function][name] for name in tests)
            self._start(session, mutant, [items[name] for name in tests], spends)
        while self.running:
            self._wait()
        return True

    def _reached(self, session, items):
        """Which tests come by which function; also that all pass where no fault is in force."""
        if not self.reached_in.exists():
            pid = os.fork()
            if pid == 0:
                _quiet(session)
                self.reached_in.write_text(json.dumps(_watched(session, list(items.values()))))
                os._exit(1 if session.testsfailed else 0)
            if os.waitpid(pid, 0)[1]:
                self.reached_in.unlink(missing_ok=True)
                raise pytest.UsageError("a test fails without a fault: run them by themselves")
        return json.loads(self.reached_in.read_text())

    def _start(self, session, mutant, items, spends):
        """Its limit is of a processor, so that a busy machine makes nothing overdue; that of the
        clock is for what waits for ever.
        """
        pid = os.fork()
        if pid == 0:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (5 + 3 * ceil(spends), resource.RLIM_INFINITY))
            _quiet(session)
            set_mutant_under_test(mutant.name)
            os._exit(0 if _all_pass(session, items) else 1)
        self.running[pid] = mutant, time.monotonic() + 60 + 20 * spends

    def _wait(self):
        """Until one has ended, or is overdue."""
        while True:
            for pid, (mutant, until) in list(self.running.items()):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if not ended and time.monotonic() < until:
                    continue
                if not ended:
                    os.killpg(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                del self.running[pid]
                self._found(mutant, _ending(status) if ended else OVERDUE)
                return
            time.sleep(0.005)

    def _found(self, mutant, result):
        self.results[mutant.name] = result
        self.said(mutant, result)


def _ending(status: int) -> str:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return OVERDUE
    return KILLED if status else SURVIVED


def chosen(mutant: Mutant, reaching: dict[str, float], seconds: float) -> list[str]:
    """The tests for a fault: those of its module's own files first, then by turns the quickest of
    each other file, for as many seconds as are given.

    By turns, since the quickest of all would be those of a few files about one thing.
    """
    stem = mutant.module.rpartition(".")[2]
    turns: dict[str, int] = defaultdict(int)
    ordered: list[tuple[bool, int, float, str]] = []
    for name in sorted(reaching, key=lambda name: reaching[name]):
        file = name.partition("::")[0]
        is_own = stem in file.rpartition("/")[2]
        ordered.append((not is_own, 0 if is_own else turns[file], reaching[name], name))
        turns[file] += 1
    tests, spent = [], 0.0
    for *_, took, name in sorted(ordered):
        spent += took
        if spent > seconds and tests:
            break
        tests.append(name)
    return tests


def _quiet(session):
    session.config.pluginmanager.unregister(name="terminalreporter")


def _all_pass(session, items) -> bool:
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return False
    return True


def _watched(session, items):
    reached = defaultdict(dict)
    set_mutant_under_test("stats")
    for item, following in zip(items, [*items[1:], None], strict=True):
        state()._stats.clear()
        began = _spent()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        took = round(_spent() - began, 4)
        for function in state()._stats:
            reached[function][item.nodeid] = took
    return reached


def _spent() -> float:
    """Seconds of a processor, those of ended processes that a test started with them: unlike the
    clock's, they are the same on a busy machine.
    """
    return sum(os.times()[:4])

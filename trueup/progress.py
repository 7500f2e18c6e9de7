"""Progress on stderr while runs go on: a bar each on a terminal, plain lines elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sync.outcome import Done
from sync.watch import Watch
from trueup.output import marked


@contextmanager
def watching(err: Terminal, names: Sequence[str], stop: Event) -> Iterator[dict[str, Watch]]:
    """A `Watch` for each of `names`, for runs that go on side by side; a lone "" is not named."""
    if not err.is_terminal:
        yield {name: _lines(err, stop, name) for name in names}
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as progress:
        yield {name: _bar(progress, stop, name) for name in names}


def _bar(progress: Progress, stop: Event, name: str) -> Watch:
    task = progress.add_task(marked(name), total=None)

    def stage(step: str) -> None:
        progress.update(task, description=marked(f"{name} {step}".lstrip()))

    def planned(count: int) -> None:
        progress.update(task, total=count, completed=0)

    def done(_: Done) -> None:
        progress.advance(task)

    return Watch(stage=stage, planned=planned, done=done, stop=stop)


def _lines(err: Terminal, stop: Event, name: str) -> Watch:
    seen = {"total": 0, "done": 0}
    prefix = f"{marked(name)}: " if name else ""

    def stage(step: str) -> None:
        err.print(f"{prefix}{step} …")

    def planned(count: int) -> None:
        seen.update(total=count, done=0)

    def done(_: Done) -> None:
        seen["done"] += 1
        if seen["done"] % 50 == 0 or seen["done"] == seen["total"]:
            err.print(f"{prefix}apply: {seen['done']} of {seen['total']}")

    return Watch(stage=stage, planned=planned, done=done, stop=stop)

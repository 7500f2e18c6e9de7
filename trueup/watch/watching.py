"""What `serve` tells of its runs, to whom watches it; to nobody where the settings name none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from trueup.service import Ended
    from trueup.workspace import Workspace


class Watcher(Protocol):
    """Hears how scheduled runs end, and from which workspace on."""

    def heard(self, ended: Ended) -> None:
        """A run ended."""

    def follow(self, workspace: Workspace) -> None:
        """From now on runs are those of this workspace, of which no system is connected yet."""


class Unwatched:
    """Nobody asks."""

    def heard(self, ended: Ended) -> None:
        """Not kept."""

    def follow(self, workspace: Workspace) -> None:
        """Not kept."""


@contextmanager
def watched(workspace: Workspace, alive: Callable[[], bool]) -> Iterator[Watcher]:
    """Serve health and metrics while the block lasts, where `[serve] listen` is set.

    `alive` tells whether all that runs syncs still does.
    """
    listen = workspace.settings.serve.listen
    if listen is None:
        yield Unwatched()
        return
    from trueup.watch.metrics import Metrics  # nothing of it is loaded where it is not set
    from trueup.watch.pages import routes
    from trueup.watch.server import served

    metrics = Metrics(workspace)
    with served(routes(metrics, alive), listen):
        yield metrics

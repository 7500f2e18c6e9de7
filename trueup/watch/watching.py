"""What `serve` tells of its runs, to whom watches it; to nobody where the settings name none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.service import Ended
    from trueup.watch.metrics import Metrics
    from trueup.workspace import Workspace


class Watching:
    """Health and metrics of one `serve`, where `[serve] listen` is set; else nothing is loaded.

    `say` is told that an address which new settings name holds from the next start on.
    """

    def __init__(self, workspace: Workspace, say: Callable[[str], None]) -> None:
        self._listen, self._say = workspace.settings.serve.listen, say
        self._metrics: Metrics | None = None
        if self._listen is not None:
            from trueup.watch.metrics import Metrics

            self._metrics = Metrics(workspace)

    def heard(self, ended: Ended) -> None:
        """A scheduled run ended."""
        if self._metrics is not None:
            self._metrics.heard(ended)

    def follow(self, workspace: Workspace) -> None:
        """From now on runs are those of this workspace, of which no system is connected yet."""
        if workspace.settings.serve.listen != self._listen:
            self._say("[serve] listen has changed; that holds once serve is started anew")
        if self._metrics is not None:
            self._metrics.follow(workspace)

    @contextmanager
    def shown(self, alive: Callable[[], bool]) -> Iterator[None]:
        """Serve the pages while the block lasts; `alive` tells whether each sync is still run.

        Raises `Refusal` where the address cannot be had.
        """
        if self._metrics is None or self._listen is None:
            yield
            return
        from trueup.watch.pages import routes
        from trueup.watch.server import served

        with served(routes(self._metrics, alive), self._listen):
            yield

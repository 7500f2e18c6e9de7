"""A command at work: it opens the workspace, prints what comes of it, and ends in an exit code.

The commands themselves are in `trueup.commands`, one function each.

Every error that a person can cause or mend ends here as one message that says what, where and what
would be right. With `--json` it is a document on stdout as well.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import typer

from config.logs import configure
from sync.outcome import Exit
from sync.watch import Watch
from trueup.console import Console
from trueup.endings import KNOWN, code_of, lines_of, odd
from trueup.output import plain, tell_json
from trueup.refusal import Refusal
from trueup.streams import OUT
from trueup.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from trueup.watch.traces import Traces

log = logging.getLogger("trueup")


class Session:
    """What every command has: its settings, how it prints, how it ends. Use it with `with`.

    `console` prints for people; `as_json` asks for one document instead. `stop` is set once
    somebody asked the process to end; who prints from several threads holds `printing`.
    """

    def __init__(self, config: Path, *, as_json: bool = False, verbosity: int = 0) -> None:
        self.config = config
        self.as_json = as_json
        self.verbosity = verbosity
        self.console = Console()
        self.stop = Event()
        self.printing = Lock()
        self._traces: Traces | None = None
        configure(verbosity)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, Refusal):
            self.fail(plain(error), Exit.USAGE)
        if isinstance(error, KNOWN):
            self.fail(lines_of(error), code_of(error))
        if isinstance(error, Exception) and not isinstance(error, (typer.Exit, typer.Abort)):
            log.debug("what led to it:", exc_info=error)
            said = f"this is a mistake in Trueup, not yours; -vv shows more: {odd(error)}"
            self.fail(said, Exit.FAILED)

    def end(self, code: int) -> NoReturn:
        """Leave with this exit code."""
        raise typer.Exit(code)

    def told(self, code: int) -> NoReturn:
        """As `end`, of a command that only tells: what nobody could be told has failed."""
        self.end(Exit.FAILED if code == Exit.OK and OUT.lost else code)

    @contextmanager
    def workspace(
        self, *, quiet: bool = False, patience: float | None = None
    ) -> Iterator[Workspace]:
        """The workspace, opened; a `quiet` command shows no progress. `patience` as there."""
        with (
            self._stopping(),
            self._watch(quiet=quiet or self.as_json) as watch,
            self._tracing(),
            open_workspace(self.config, watch=watch, patience=patience) as workspace,
        ):
            self.trace(workspace)
            yield workspace

    def trace(self, workspace: Workspace) -> None:
        """Have what it does traced, where the surroundings ask for that."""
        if self._traces is not None:
            workspace.trace(self._traces)

    @contextmanager
    def _tracing(self) -> Iterator[None]:
        if not any(name.startswith("OTEL_") for name in os.environ):
            yield
            return
        from trueup.watch.tracing import tracing

        with tracing() as self._traces:
            yield

    @contextmanager
    def _watch(self, *, quiet: bool) -> Iterator[Watch]:
        if quiet:
            yield Watch(stop=self.stop)
        else:
            from trueup.progress import watching

            with watching(self.console.err, [""], self.stop) as watches:
                yield watches[""]

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """SIGTERM and the first Ctrl-C ask to stop; the second Ctrl-C insists."""

        def ask(number: int, frame: object) -> None:
            if self.stop.is_set() and number == signal.SIGINT:
                raise KeyboardInterrupt
            self.stop.set()

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def must_ask(self, command: str, yes: bool) -> None:
        """Raise `Refusal` where the command has to ask and nobody can answer."""
        if not yes and (self.as_json or not sys.stdin.isatty()):
            why = "--json leaves no room to ask" if self.as_json else "there is no terminal"
            raise Refusal(f"{command} asks before it writes, and {why}; add --yes")

    def print(self, data: Any) -> None:
        """The document of `--json`."""
        tell_json(data)

    def fail(self, message: str, code: int) -> NoReturn:
        """Say why, and leave with this exit code."""
        if self.as_json:
            self.print({"error": message, "exit_code": code})
        self.console.fail(message)
        raise typer.Exit(code)

"""Serving the console: one server, that the command in whose process it is can stop."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


def serve(app: ASGIApp, listening: socket.socket, stop: Event) -> None:
    """Answer until `stop` is set; what is being answered then has five seconds to end."""
    config = uvicorn.Config(
        app,
        http=H11Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    over = Event()

    def end() -> None:
        while not stop.wait(1) and not over.is_set():
            pass
        server.should_exit = True

    Thread(target=end, name="console-end", daemon=True).start()
    try:
        server.run([listening])
    finally:
        over.set()


class _Server(uvicorn.Server):
    """Leaves signals to the command."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

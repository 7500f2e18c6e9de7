"""Serving the pages in a thread of its own, for as long as a block lasts."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from config.settings import address_of
from trueup.listening import address_text, listening_on
from trueup.refusal import Refusal


@contextmanager
def served(routes: Sequence[BaseRoute], listen: str) -> Iterator[str]:
    """The pages at `listen`, an address and a port; gives the address that they have.

    Raises `Refusal` where the address cannot be had.
    """
    bound = _bound(listen)
    config = uvicorn.Config(
        Starlette(routes=routes), ws="none", lifespan="off", log_config=None, access_log=False,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, args=([bound],), name="watch")
    thread.start()
    try:
        host, port = bound.getsockname()[:2]
        yield address_text(host, port)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def _bound(listen: str) -> socket.socket:
    try:
        return listening_on(*address_of(listen))
    except OSError as error:
        raise Refusal(f"[serve] listen = {listen!r} cannot be had: {error.strerror}") from None

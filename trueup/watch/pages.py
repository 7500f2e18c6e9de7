"""The pages that tell how a process is: `/healthz`, `/readyz` and `/metrics`."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sync.state.store import StoreError
from trueup.watch.metrics import Metrics


def routes(metrics: Metrics, alive: Callable[[], bool]) -> list[Route]:
    """The pages; `alive` tells whether all that runs syncs still does."""

    def healthz(request: Request) -> Response:
        if not alive():
            return PlainTextResponse("what runs a sync has died\n", 503)
        return PlainTextResponse("ok\n")

    def readyz(request: Request) -> Response:
        try:
            metrics.look()
        except StoreError:  # its words may name a server, and who asks is not known
            return PlainTextResponse("the state cannot be read\n", 503)
        return PlainTextResponse("ok\n")

    def scraped(request: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": metrics.content_type})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", scraped)]

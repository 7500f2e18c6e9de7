"""One console after another at the same address: each over the settings as they are then."""

from starlette.types import Receive, Scope, Send

from trueup.web.application import Console


class Following:
    """Answers as the console that was put last, and begins and ends each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        console.begin()

    def put(self, console: Console) -> Console:
        """Answer as that one from now on; the one before, which is still to be ended."""
        before, self._console = self._console, console
        console.begin()
        return before

    def end(self) -> None:
        """Answer no more."""
        self._console.end()
        self._console.site.workspace.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on. That the server begins and ends is nothing to any of them."""
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        await self._console.answer(scope, receive, send)

"""What every answer says to the browser, and which names of this server are its own."""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",  # htmx asks this server for parts of a page
        "img-src 'self' data:",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_SAID: Final = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class OnEveryAnswer:
    """Says it on every answer, whoever makes that; only what is under /static/ may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        is_static = str(scope.get("path", "")).startswith("/static/")

        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_SAID)
                headers["cache-control"] = "no-cache" if is_static else "no-store"
            await send(message)

        await self._app(scope, receive, said)


class OwnNames:
    """Answers only who asks for this server by a name of its own.

    A page elsewhere whose name was made to mean this machine asks by that name, and gets nothing.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or refuse."""
        if scope["type"] == "http":
            asked = Headers(scope=scope).getlist("host")
            if len(asked) != 1 or asked[0].lower() not in self._hosts:
                said = "this server is not known by that name\n"
                return await PlainTextResponse(said, status_code=421)(scope, receive, send)
        return await self._app(scope, receive, send)


def own_names(host: str, port: int) -> set[str]:
    """What a browser may call a server on loopback that listens there."""
    names = {f"[{host}]" if ":" in host else host, "localhost"}
    return {f"{name}:{port}" for name in names} | (names if port == 80 else set())

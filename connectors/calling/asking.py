"""One question to a server that is no vendor of budgets: asked once, answered in JSON."""

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic
from typing import Any, Final

import httpx

from connectors.calling.exact_json import UNREADABLE, read
from connectors.calling.surroundings import transport_to, way_to
from connectors.contract.errors import Unreadable

_TIMEOUT: Final = httpx.Timeout(10)
_LONGEST: Final = 20.0
"""Seconds that an answer may take in all."""
_MOST: Final = 1024 * 1024
"""Bytes that it may have."""


class NoAnswer(Exception):
    """There was none that could be used. The message says why, and nothing of what was sent."""


def ask(
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """The status and what the answer says, by GET, or by POST of a `form`; `login` is a name and a
    secret. No redirect is followed, as it would take both elsewhere. Raises `NoAnswer`."""
    try:
        address = httpx.URL(url)
        with (
            httpx.Client(
                transport=transport_to(address, way_to(address)),
                timeout=_TIMEOUT,
                trust_env=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            ) as client,
            client.stream(
                "GET" if form is None else "POST",
                address,
                data=form,
                auth=login,
                headers={"Accept": "application/json", **(headers or {})},
            ) as response,
        ):
            return response.status_code, _read(response)
    except httpx.HTTPError as error:
        raise NoAnswer(type(error).__name__) from None
    except (httpx.InvalidURL, UnicodeError):
        raise NoAnswer("not an address") from None
    except Unreadable as error:
        raise NoAnswer(str(error)) from None


def _read(response: httpx.Response) -> Any:
    try:
        return read(_body(response))
    except UNREADABLE:
        raise NoAnswer(f"{response.status_code} without JSON") from None


def _body(response: httpx.Response) -> bytes:
    """All of it, unless it is too long or takes too long."""
    begun, body = monotonic(), b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _MOST:
            raise NoAnswer("an answer that is too long")
        if monotonic() - begun > _LONGEST:
            raise NoAnswer("an answer that takes too long")
    return body

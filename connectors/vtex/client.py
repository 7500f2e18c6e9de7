"""The client of VTEX, under whichever credential the settings give."""

import re
from typing import Any

from connectors.calling.answers import Dialect
from connectors.calling.auth import RenewedToken, Token
from connectors.calling.client import HttpClient
from connectors.calling.limiter import Limiter
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate
from connectors.vtex.declared import VtexSettings
from connectors.vtex.exchange import exchanged
from connectors.vtex.wire import COOKIE


def opened(name: str, settings: VtexSettings, runtime: Runtime) -> HttpClient:
    """The client of the system `name`, under the credential that the settings give."""

    def client(address: str, **more: Any) -> HttpClient:
        return HttpClient(
            name,
            address,
            limiter=Limiter(*parse_rate(settings.rate_limit), runtime),
            runtime=runtime,
            dialect=Dialect(
                message=_message,
                request_id=("trace-id",),
                reset_headers=("Ratelimit-Reset", "X-RateLimit-Reset"),
                credential="user_token" if settings.user_token else "app_key and app_token",
            ),
            **more,
        )

    if settings.user_token is not None:
        token = settings.user_token.get_secret_value()
        return client(settings.base_url, headers={COOKIE: token})
    assert settings.app_key is not None
    assert settings.app_token is not None
    key, token = (each.get_secret_value() for each in (settings.app_key, settings.app_token))
    if not settings.exchange:
        headers = {"X-VTEX-API-AppKey": key, "X-VTEX-API-AppToken": token}
        return client(settings.base_url, headers=headers)

    def fetch() -> Token:
        login = client(settings.login_url or _login_url(settings.base_url), secrets=(key, token))
        return exchanged({"appkey": key, "apptoken": token}, login)

    return client(settings.base_url, auth=RenewedToken(COOKIE, fetch, runtime.now, runtime.hide))


def _login_url(base_url: str) -> str:
    """The login of an account that lives at ACCOUNT.myvtex.com; any other has its own."""
    return re.sub(
        r"^(https?://)([^./]+)\.myvtex\.com.*$", r"\1\2.vtexcommercestable.com.br", base_url
    )


def _message(body: Any) -> str | None:
    """{"error": TEXT}; the services around it say {"code", "message"}."""
    if not isinstance(body, dict):
        return None
    said = body.get("error") or body.get("message")
    return said.get("message") if isinstance(said, dict) else said

"""What a VTEX system may be told in the settings file, and the client that those settings open."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from canonical.currency import exponent
from connectors.answers import Dialect
from connectors.auth import RenewedToken, Token
from connectors.http import HttpClient
from connectors.limiter import Limiter
from connectors.runtime import Runtime
from connectors.settings import Address, HttpSettings, parse_rate
from connectors.vtex.exchange import exchanged
from connectors.vtex.wire import COOKIE


def _currency(code: str) -> str:
    exponent(code)
    return code


class VtexSettings(HttpSettings):
    """The keys of a system with connector = "vtex"."""

    rate_limit: str = Field(
        default="20/1s",
        description="Calls per window. VTEX documents none for budgets: this is a careful guess.",
    )
    app_key: SecretStr | None = Field(default=None, description="Application key, as a reference.")
    app_token: SecretStr | None = Field(default=None, description="The token that belongs to it.")
    user_token: SecretStr | None = Field(
        default=None, description="A user's token of 24 hours, instead of the two."
    )
    exchange: bool = Field(
        default=False, description="Exchange app_key and app_token for a user token, as needed."
    )
    login_url: Address | None = Field(
        default=None,
        description="Where tokens come from; default: the account's own address at "
        "vtexcommercestable.com.br.",
    )
    context_type: Literal["UNIT"] = Field(default="UNIT", description="What owns the budgets.")
    context_id: str | tuple[str, ...] | None = Field(
        default=None, description="Id of the organization unit, or a list of several."
    )
    discover: bool = Field(default=False, description="Ask VTEX for all units, instead.")
    currency: Annotated[str, AfterValidator(_currency)] = Field(
        description="Currency of all amounts, as VTEX names none."
    )
    scale: Literal["major", "minor"] = Field(
        default="major", description="Whether 12.50 is written as 12.50 or as 1250."
    )
    end_date: Literal["exclusive", "inclusive"] = Field(
        default="exclusive", description="Whether a cycle's endDate is the day after its last one."
    )
    entity_types: dict[str, str] = Field(
        default_factory=dict,
        description="Our entity types → types of linked entities; default: user = User, "
        "address = Address, cost_centre = CostCenter, and any other as it is.",
    )
    page_size: int = Field(default=50, ge=1, description="Budgets in one page of a listing.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        pair = self.app_key is not None and self.app_token is not None
        if self.exchange and not pair:
            raise ValueError("exchange needs app_key and app_token")
        if pair == (self.user_token is not None):
            raise ValueError("either app_key and app_token or user_token is needed")
        if self.discover == bool(self.context_id):
            raise ValueError("either context_id or discover = true is needed")
        return self

    def units(self) -> tuple[str, ...]:
        """The units that are named; none where they are to be discovered."""
        named = self.context_id or ()
        return (named,) if isinstance(named, str) else tuple(dict.fromkeys(named))


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

    return client(settings.base_url, auth=RenewedToken(COOKIE, fetch, runtime.now))


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

"""An OpenID provider: where people log in, and what it says of who did.

What it says is believed where its signature is of a key that it publishes, and where it was said
to this console, for this login, and lately.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from config.console import Oidc, is_on_loopback
from connectors.calling.asking import NoAnswer, ask
from trueup.output import plain
from trueup.web.roles import Identity

_ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
    "EdDSA",
)  # fmt: skip
"""By these only who has the private key signs; "none" is nobody's, and HS256 anybody's who has
read what the provider publishes."""
_KEPT: Final = timedelta(hours=1)
"""How long what the provider publishes is not asked for again."""
_PAUSE: Final = timedelta(seconds=30)
"""How often at most it is asked for keys that it did not have before."""
_LEEWAY: Final = 60
"""Seconds by which two clocks may differ."""
_LONGEST: Final = 200


class LoginFailed(Exception):
    """What came is not believed, or names nobody; the message says why, and holds no secret."""


class ProviderAway(Exception):
    """It does not answer as it should; later it may."""


@dataclass(slots=True)
class _Known:
    """What the provider published, and when it was asked."""

    at: datetime
    about: dict[str, Any]
    keys: KeySet


@dataclass(slots=True)
class Provider:
    """Asks one provider. `back` is the address of ours at which a login ends; `secret` proves that
    it is us, None for a public client. Safe to share between threads."""

    settings: Oidc
    secret: str | None
    back: str
    now: Callable[[], datetime]
    _known: _Known | None = None
    _lock: Lock = field(default_factory=Lock)

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where a browser logs in. Raises `ProviderAway`."""
        said = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.back,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        base = _endpoint(self._published().about, "authorization_endpoint")
        return f"{base}{'&' if '?' in base else '?'}{urlencode(said)}"

    def identity(self, *, code: str, nonce: str, verifier: str) -> Identity:
        """Who logged in. Raises `LoginFailed` and `ProviderAway`."""
        tokens = self._tokens(code, verifier)
        claims = self._claims(tokens, nonce)
        if self._lacks(claims) and isinstance(tokens.get("access_token"), str):
            claims = self._more(claims, tokens["access_token"])
        return identity_of(claims, self.settings)

    def _tokens(self, code: str, verifier: str) -> dict[str, Any]:
        about = self._published().about
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            "code_verifier": verifier,
        }
        login = None
        id = self.settings.client_id
        methods = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self.secret is not None and "client_secret_basic" in methods:
            login = quote(id, safe=""), quote(self.secret, safe="")
        else:
            form["client_id"] = id
            form |= {} if self.secret is None else {"client_secret": self.secret}
        status, said = _asked(_endpoint(about, "token_endpoint"), form=form, login=login)
        if status >= 500 or not isinstance(said, dict):
            raise ProviderAway(f"its token endpoint answers {status}")
        if status != 200:
            raise LoginFailed(f"the provider refuses the login: {_code(said.get('error'))}")
        return said

    def _claims(self, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """What the ID token says, once it is known to be the provider's, to us, for this login."""
        raw = tokens.get("id_token")
        if not isinstance(raw, str):
            raise LoginFailed("the provider sends no ID token")
        access = tokens.get("access_token")
        try:
            token = jwt.decode(raw, self._keys_for(raw), algorithms=_ALGORITHMS)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                },
                {"nonce": nonce, "client_id": self.settings.client_id, "access_token": access},
            )
            claims.validate(int(self.now().timestamp()), _LEEWAY)
        except JoseError as error:
            raise LoginFailed(f"the ID token is not believed: {_why(error)}") from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise LoginFailed("the ID token cannot be read") from None
        return dict(claims)

    def _keys_for(self, raw: str) -> KeySet:
        """What the provider publishes; asked for anew where the token's key is not among it."""
        kid = _kid(raw)
        known = self._published()
        if kid is not None and kid not in {each.kid for each in known.keys.keys}:
            known = self._published(older=_PAUSE)
        return known.keys

    def _lacks(self, claims: Mapping[str, Any]) -> bool:
        wanted = (self.settings.name_claim, self.settings.groups_claim)
        return any(each is not None and each not in claims for each in wanted)

    def _more(self, claims: dict[str, Any], access: str) -> dict[str, Any]:
        """With what the provider tells of the same person where it is asked; nothing it said before
        is said otherwise."""
        about = self._published().about
        if "userinfo_endpoint" not in about:
            return claims
        status, said = _asked(
            _endpoint(about, "userinfo_endpoint"), headers={"Authorization": f"Bearer {access}"}
        )
        if status != 200 or not isinstance(said, dict):
            raise ProviderAway(f"its userinfo endpoint answers {status}")
        if said.get("sub") != claims.get("sub"):
            raise LoginFailed("the provider tells of somebody else than who logged in")
        return said | claims

    def _published(self, older: timedelta = _KEPT) -> _Known:
        """What it says of itself, asked for again where that was longer ago. Raises
        `ProviderAway`."""
        with self._lock:
            now = self.now()
            if self._known is None or now - self._known.at >= older:
                self._known = self._look(now)
            return self._known

    def _look(self, now: datetime) -> _Known:
        issuer = self.settings.issuer
        status, about = _asked(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if status != 200 or not isinstance(about, dict):
            raise ProviderAway(f"its configuration answers {status}")
        if about.get("issuer") != issuer:
            raise ProviderAway("it calls itself otherwise than console.oidc.issuer")
        status, keys = _asked(_endpoint(about, "jwks_uri"))
        if status != 200 or not isinstance(keys, dict):
            raise ProviderAway(f"its keys answer {status}")
        return _Known(now, about, _key_set(keys))


def identity_of(claims: Mapping[str, Any], settings: Oidc) -> Identity:
    """Who the claims tell of. Raises `LoginFailed`."""
    name = claims.get(settings.name_claim)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise LoginFailed(f'the claim "{settings.name_claim}" names nobody')
    if len(name) > _LONGEST:
        raise LoginFailed(f'the claim "{settings.name_claim}" is too long for a name')
    if settings.name_claim == "email" and claims.get("email_verified", True) not in (True, "true"):
        raise LoginFailed("the provider has not verified that e-mail address")
    said = claims.get(settings.groups_claim) if settings.groups_claim else None
    listed = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return Identity(name.strip(), frozenset(each for each in listed if isinstance(each, str)))


def _key_set(published: Mapping[str, Any]) -> KeySet:
    """The public keys among them; one that cannot be used is as if it were not there."""
    found = []
    for each in published.get("keys", ()):
        try:
            if each.get("kty") in ("RSA", "EC", "OKP") and each.get("use", "sig") == "sig":
                found += KeySet.import_key_set({"keys": [each]}).keys
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
    if not found:
        raise ProviderAway("it publishes no key that can be used")
    return KeySet(found)


def _asked(url: str, **more: Any) -> tuple[int, Any]:
    try:
        return ask(url, **more)
    except NoAnswer as error:
        raise ProviderAway(f"{urlsplit(url).hostname} does not answer: {plain(error)}") from None


def _endpoint(about: Mapping[str, Any], name: str) -> str:
    """An address that the provider names: by https, as our secret and theirs go there."""
    said = about.get(name)
    try:
        found = urlsplit(said if isinstance(said, str) else "")
        host = found.hostname or ""
    except ValueError:
        host = ""
    if host and (found.scheme == "https" or (found.scheme == "http" and is_on_loopback(host))):
        return str(said)
    raise ProviderAway(f"its {name} is no https address")


def _kid(raw: str) -> str | None:
    """Which key the token says to be signed by."""
    from joserfc.util import urlsafe_b64decode

    try:
        header = json.loads(urlsafe_b64decode(raw.partition(".")[0].encode()))
        return header["kid"] if isinstance(header.get("kid"), str) else None
    except (ValueError, KeyError, AttributeError, RecursionError):
        return None


def _why(error: JoseError) -> str:
    """Which claim, or what of the signature; never what the token says."""
    claim = getattr(error, "claim", None)
    words = error.error.replace("_", " ")
    return f"{words} {plain(str(claim)[:40])}" if claim else words


def _code(said: object) -> str:
    """An error as the protocol names them."""
    text = said if isinstance(said, str) else ""
    return text[:40] if text.replace("_", "").isascii() and text.replace("_", "").isalpha() else "?"

"""A small OpenID provider on loopback, which can be told to do each thing wrong."""

import base64
import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from tests.unit.test_trueup.test_web.browsing import NOW

SECRET = "s3cr:et canary"


class OpenId:
    """What it publishes and answers. `claims` and `header` change the next ID token; `answers`
    gives a path another answer, (status, document); `asked` is what came, (path, form, headers)."""

    def __init__(self):
        self.key, self.other = (ECKey.generate_key("P-256", {"kid": kid}) for kid in ("k1", "k2"))
        self.published = [self.key]
        self.signed_by = self.key
        self.claims, self.header, self.answers, self.asked = {}, {}, {}, []
        self.userinfo = None
        self.codes = {}
        self.issuer = ""

    def log_in(self, address, email="ada@example.com"):
        """Somebody logs in at the address that the console sent them to; where they go then."""
        said = {name: each for name, (each,) in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = said | {"email": email}
        return f"/login/back?code={code}&state={said['state']}"

    def configuration(self):
        about = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        about |= {
            f"{each}_endpoint": f"{self.issuer}/{each}" for each in ("authorization", "token")
        }
        return about | ({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo else {})

    def answer(self, path, form, headers):
        self.asked.append((path, form, headers))
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return 200, self.configuration()
        if path == "/keys":
            return 200, {"keys": [each.as_dict(private=False) for each in self.published]}
        if path == "/userinfo":
            return 200, self.userinfo
        return self.tokens(form, headers)

    def tokens(self, form, headers):
        begun = self.codes.pop(form.get("code"), None)
        basic = base64.b64encode(b"true%2Fup:s3cr%3Aet%20canary").decode()
        hashed = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).decode().rstrip("=")
        if begun is None or challenge != begun["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        by_form = (form.get("client_id"), form.get("client_secret")) == ("true/up", SECRET)
        if headers.get("authorization") != f"Basic {basic}" and not by_form:
            return 401, {"error": "invalid_client"}
        if form["redirect_uri"] != begun["redirect_uri"]:
            return 400, {"error": "invalid_request"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": self.token(begun)}

    def token(self, begun):
        now = int(NOW.timestamp())
        claims = {
            "iss": self.issuer, "sub": "1", "aud": "true/up", "iat": now, "exp": now + 300,
            "nonce": begun["nonce"], "email": begun["email"], "groups": ["staff"],
        }  # fmt: skip
        claims = {k: v for k, v in (claims | self.claims).items() if v is not None}
        header = {"alg": "ES256", "kid": self.signed_by.kid} | self.header
        if header["alg"] == "none":
            return ".".join((_part(header), _part(claims), ""))
        if header["alg"] == "HS256":  # signed with what everybody can read
            said = f"{_part(header)}.{_part(claims)}"
            made = hmac.digest(self.key.as_pem(private=False), said.encode(), "sha256")
            return f"{said}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"
        return jwt.encode(header, claims, self.signed_by)


def _part(said):
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


@contextmanager
def provider():
    """One that answers over HTTP while this lasts."""
    openid = OpenId()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply({})

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self.reply({name: each for name, (each,) in parse_qs(body).items()})

        def reply(self, form):
            headers = {name.lower(): each for name, each in self.headers.items()}
            status, said = openid.answer(urlsplit(self.path).path, form, headers)
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    openid.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield openid
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""The version of the settings: a digest by which one sees that they are others than before."""

import json
from hashlib import sha256
from urllib.parse import urlsplit

from config.secrets import is_reference
from config.settings import Settings


def version_of(settings: Settings) -> str:
    """SHA-256, in hex, of the settings in force: defaults filled in, secrets and the references to
    them left out, so that it neither tells nor proves one."""
    data = settings.model_dump(mode="json")
    data["state"]["url"] = _without_credential(settings.state.url)
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()


def _without_credential(url: str) -> str:
    if is_reference(url):
        return url
    parts = urlsplit(url)
    bare = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=bare, query="").geturl()

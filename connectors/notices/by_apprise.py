"""Apprise: any of the services that it knows, by their addresses; a package that is an extra."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.notices.delivery import Undelivered


def post(urls: Sequence[str], message: Mapping[str, Any]) -> None:
    """Send the message to all of these; raises `Undelivered` unless each took it.

    What Apprise has to say about it is not shown, as addresses may be in it.
    """
    try:
        import apprise  # an extra
    except ImportError:
        said = "`url` needs Apprise; pip install 'trueup[notify]', or use `webhook`"
        raise Undelivered(said) from None
    _hush()
    all_of_them = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
    for number, url in enumerate(urls, 1):
        if not all_of_them.add(url):
            which = f"address {number} of {len(urls)}" if len(urls) > 1 else "the address"
            raise Undelivered(f"{which} is none that Apprise knows")
    body = f"{message['text']}\n(message {message['id'][:12]})"
    plain = apprise.NotifyFormat.TEXT
    if not all_of_them.notify(body=body, title=message["title"], body_format=plain):
        raise Undelivered("the service did not take it")


def _hush() -> None:
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())

"""Receivers: sends messages where the settings say, and keeps which of them arrived."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from config.notify import ensure_address
from config.secrets import SecretError, is_reference
from config.wiring import secret_of
from trueup.output import plain

if TYPE_CHECKING:
    from pathlib import Path

    from config.notify import Notify
    from sync.state.messages import Message


@dataclass(frozen=True, slots=True)
class Sent:
    """The numbers of the messages that arrived, and by notifier why others did not."""

    arrived: Sequence[int]
    errors: Mapping[str, str]


def send(notifiers: Mapping[str, Notify], messages: Sequence[Message], base: Path) -> Sent:
    """Send each message to its notifier, side by side and for a few seconds at most; after one
    that fails the others of its notifier stay. Relative `file:` paths start from `base`."""
    from connectors.notices.delivery import delivered  # only who has something to send

    arrived: list[int] = []

    def all_of(name: str) -> None:
        post = receiver(notifiers[name], base)
        for each in messages:
            if each.notifier == name:
                post(each.said)
                arrived.append(each.number)

    names = dict.fromkeys(each.notifier for each in messages)
    found = delivered({name: partial(all_of, name) for name in names})
    return Sent(tuple(arrived), {name: plain(why) for name, why in found.items() if why})


def receiver(notify: Notify, base: Path) -> Callable[[Mapping[str, Any]], None]:
    """What sends a message to a notifier; raises `Undelivered`, as what it returns does."""
    from connectors.notices.delivery import Undelivered

    try:
        if notify.webhook is None:
            return _by_apprise([secret_of(each, base) for each in notify.url])
        said = notify.webhook
        url = secret_of(said, base) if is_reference(said) else said
        ensure_address(url, insecure=notify.insecure)
        return _by_webhook(url, secret_of(notify.secret or "", base))
    except (SecretError, ValueError) as error:
        raise Undelivered(str(error)) from None


def _by_webhook(url: str, secret: str) -> Callable[[Mapping[str, Any]], None]:
    from connectors.notices.webhook import post

    return lambda said: post(url, secret, said, int(time.time()))


def _by_apprise(urls: Sequence[str]) -> Callable[[Mapping[str, Any]], None]:
    from connectors.notices.by_apprise import post

    return lambda said: post(urls, said)

"""Checks of how a connector fails: behaviours 3.1 to 3.3."""

import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import pytest

from canonical.kind import Kind
from connectors.conformance.drafts import having
from connectors.conformance.world import World, said
from connectors.contract.errors import (
    ConnectorError,
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Transient,
    Unauthorized,
)
from connectors.contract.interface import Connector

_READS: Final[Mapping[str, Callable[[Connector, World, str], object]]] = {
    "check": lambda connector, world, id: connector.check(),
    "list": lambda connector, world, id: [*connector.list(Kind.BUDGET)],
    "get": lambda connector, world, id: connector.get(Kind.BUDGET, id),
    "probe": lambda connector, world, id: connector.probe([world.draft(Kind.BUDGET)]),
}
_WRITES: Final[Mapping[str, Callable[[Connector, World, str], object]]] = {
    "create": lambda connector, world, id: connector.create(world.draft(Kind.BUDGET), world.key()),
    "update": lambda connector, world, id: connector.update(
        id, world.draft(Kind.BUDGET), {"amount"}, world.key()
    ),
}


class Failing:
    """3: an error says what comes next, and never a secret."""

    @pytest.mark.parametrize("call", [*_READS, *_WRITES])
    def test_3_1_1_a_wrong_credential_is_named_by_every_call(self, world: World, call: str) -> None:
        wrong = world.hook("wrong_credential")
        world.needs(Kind.BUDGET, writing=call in _WRITES)
        with wrong() as connector, pytest.raises((Unauthorized, Forbidden)):
            {**_READS, **_WRITES}[call](connector, world, world.unknown_id)

    def test_3_1_2_a_wrong_credential_changes_nothing(self, world: World) -> None:
        wrong = world.hook("wrong_credential")
        world.needs(Kind.BUDGET)
        draft, made = world.make(Kind.BUDGET)
        other = having(draft, "amount", world.field_values(Kind.BUDGET, "amount", at_least=2)[1])
        with wrong() as connector, pytest.raises((Unauthorized, Forbidden)):
            connector.update(made.id, other, {"amount"}, world.key())
        assert said(world.connector.get(Kind.BUDGET, made.id)) == said(made)

    @pytest.mark.parametrize("call", ["list", "get"])
    def test_3_2_1_a_garbled_answer_is_malformed(self, world: World, call: str) -> None:
        _raises(world, "garbage", call, (Malformed,))

    @pytest.mark.parametrize("call", ["list", "get"])
    def test_3_2_2_a_truncated_answer_is_malformed_or_transient(
        self, world: World, call: str
    ) -> None:
        _raises(world, "cut", call, (Malformed, Transient))

    @pytest.mark.parametrize("call", ["check", "list", "get"])
    def test_3_2_3_a_full_server_is_rate_limited(self, world: World, call: str) -> None:
        _raises(world, "rate_limit", call, (RateLimited,))

    @pytest.mark.parametrize("call", ["check", "list", "get"])
    def test_3_2_4_a_broken_server_is_transient(self, world: World, call: str) -> None:
        _raises(world, "error_before", call, (Transient,))

    @pytest.mark.parametrize("fault", ["rate_limit", "error_before", "garbage", "cut"])
    def test_3_2_5_a_fault_that_passes_leaves_the_connector_whole(
        self, world: World, fault: str
    ) -> None:
        made = world.make_some(Kind.BUDGET, 2)
        world.fail(fault, 1)
        with suppress(ConnectorError):
            world.connector.check()
            world.listed(Kind.BUDGET)
        assert made <= set(world.listed(Kind.BUDGET))

    def test_3_2_6_an_error_says_which_call_failed(self, world: World) -> None:
        world.fail("error_before", -1)
        with pytest.raises(ConnectorError) as caught:
            world.connector.check()
        assert caught.value.message
        if caught.value.call is not None:
            assert "?" not in caught.value.call.path, "a query string may hold anything"

    def test_3_3_1_no_representation_holds_a_secret(self, world: World) -> None:
        world.hook("secrets")
        connector = world.connector
        shown = [repr(connector), str(connector), repr(connector.settings), str(connector.settings)]
        _hold_no_secret(world, [*shown, *map(repr, vars(connector).values())])

    def test_3_3_2_no_error_holds_a_secret(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.hook("secrets")
        caplog.set_level(0)
        with pytest.raises(Missing) as missing:
            world.connector.get(Kind.BUDGET, world.unknown_id)
        _hold_no_secret(world, [_told(missing.value), caplog.text])

    @pytest.mark.parametrize("fault", ["garbage", "cut", "rate_limit", "error_before"])
    def test_3_3_3_no_fault_tells_a_secret(
        self, world: World, caplog: pytest.LogCaptureFixture, fault: str
    ) -> None:
        world.hook("secrets")
        caplog.set_level(0)
        world.fail(fault, -1)
        with pytest.raises(ConnectorError) as caught:
            [*world.connector.list(Kind.BUDGET)]
        _hold_no_secret(world, [_told(caught.value), caplog.text])

    def test_3_3_4_a_wrong_credential_is_not_repeated(
        self, world: World, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.hook("secrets")
        wrong = world.hook("wrong_credential")
        caplog.set_level(0)
        with wrong() as connector, pytest.raises(ConnectorError) as caught:
            connector.check()
        _hold_no_secret(world, [_told(caught.value), caplog.text])


def _raises(world: World, fault: str, call: str, errors: tuple[type[ConnectorError], ...]) -> None:
    """The call raises one of `errors` for as long as the fault lasts."""
    id = next(iter(world.make_some(Kind.BUDGET, 1)), world.unknown_id)
    world.fail(fault, -1)
    with pytest.raises(errors):
        _READS[call](world.connector, world, id)


def _told(error: ConnectorError) -> str:
    """All that an error shows of itself, with its causes."""
    return "\n".join([repr(error), repr(error.call), *traceback.format_exception(error)])


def _hold_no_secret(world: World, texts: list[str]) -> None:
    for secret in world.secrets:
        assert not any(secret in text for text in texts), "a secret is shown"

"""How long ago the last good run was, as `status` tells it."""

from datetime import UTC, datetime, timedelta

import pytest

from trueup.commands.remembered import _with_age

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "said"),
    [({"minutes": 5}, "5 min"), ({"hours": 3}, "3 h"), ({"days": 4}, "4 days")],
)
def test_a_moment_is_told_with_its_age(ago: dict[str, int], said: str) -> None:
    moment = (NOW - timedelta(**ago)).isoformat()

    assert str(_with_age(moment, NOW)).endswith(f"({said} ago)")


def test_without_a_good_run_there_is_none() -> None:
    assert _with_age(None, NOW) is None

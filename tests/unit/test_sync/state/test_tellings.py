"""A change of how a sync stands is given to one teller, once."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sync.news import Event, Standing
from sync.state.store import Store
from sync.state.tellings import Tellings


def test_of_two_processes_and_after_a_restart_a_change_is_told_once(tmp_path: Path) -> None:
    def opened() -> Store:
        return Store.open("sqlite:///s.db", tmp_path, lambda: datetime.now(UTC))

    with closing(opened()) as one, closing(opened()) as two:
        assert Tellings(one).claim("s", Standing.FAILED) is Event.FAILED
        assert Tellings(two).claim("s", Standing.FAILED) is None
        assert not Tellings(two)._moved("s", None, Standing.FAILED)
        assert not Tellings(two)._moved("s", Standing.GOOD, Standing.WAITS)
    with closing(opened()) as again:
        assert Tellings(again).claim("s", Standing.FAILED) is None
        assert Tellings(again).claim("s", Standing.GOOD) is Event.RECOVERED

"""The soak in short: two services and one sync, through a lost answer, a kill and a restart."""

import pytest

from tests.soak.__main__ import main


@pytest.mark.usefixtures("checkout")
def test_services_come_through_a_lost_answer_a_kill_and_a_restart_of_the_database(
    capsys, monkeypatch
):
    monkeypatch.delenv("DATABASE_URL", raising=False)  # that of others is not restarted
    code = main(["--brief", "--seed", "1"])
    assert code == 0, capsys.readouterr().out

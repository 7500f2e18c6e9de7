"""What is started, held to the command line."""

from collections.abc import Sequence

import click


def ensure_started(said: Sequence[str], commands: click.Group) -> None:
    """Fail where there is no such command, or it has not each of the options."""
    name, *options = said
    known = {option for each in commands.commands[name].params for option in each.opts}
    assert {each for each in options if each.startswith("--")} <= known
    assert options[-2:] == ["--config", "/etc/trueup/trueup.toml"]

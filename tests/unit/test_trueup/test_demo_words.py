"""The last thing that the demo says: what opens its pages, from where it was called."""

import shlex
import sys
from pathlib import Path

from trueup.demo import page_command


def test_the_demo_ends_with_what_opens_its_pages(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    assert page_command(Path("trueup-demo")) == "trueup console --config trueup-demo/trueup.toml"


def test_it_names_the_command_where_no_path_leads_to_it_and_folders_as_a_shell_reads_them(
    monkeypatch,
):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["/opt/a b/bin/trueup"])
    said = shlex.split(page_command(Path("my demo")))
    assert said == ["/opt/a b/bin/trueup", "console", "--config", "my demo/trueup.toml"]

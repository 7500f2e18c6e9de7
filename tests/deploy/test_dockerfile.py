"""The Dockerfile: two stages, of which the last has no tools, runs as nobody special, and starts a
command that there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from trueup.cli import app

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "Dockerfile"
IGNORED = FILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
TEXT = re.sub(r"\\\n", " ", FILE.read_text(encoding="utf-8"))
STEPS = [tuple(line.split(None, 1)) for line in TEXT.splitlines() if line and line[0] != "#"]
LAST = STEPS[max(at for at, (word, _) in enumerate(STEPS) if word == "FROM") :]


def said(word: str, steps: list = STEPS) -> list[str]:
    return [rest for each, rest in steps if each == word]


def test_both_stages_begin_with_one_image_of_a_named_version() -> None:
    images = {each.partition(" AS ")[0] for each in said("FROM")}
    assert len(said("FROM")) == 2
    assert len(images) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", images.pop())


def test_the_last_stage_installs_nothing_and_takes_what_was_built() -> None:
    assert said("COPY", LAST) == ["--from=build /opt/trueup /opt/trueup"]
    assert not re.search(r"\b(pip|apt-get|apk|curl)\b", " ".join(said("RUN", LAST)))


def test_it_runs_as_a_user_that_is_not_root() -> None:
    (user,) = said("USER", LAST)
    assert re.fullmatch(r"[1-9]\d{4}:[1-9]\d{4}", user)
    assert f"--uid {user.partition(':')[0]}" in " ".join(said("RUN", LAST))


def test_it_starts_a_command_that_there_is() -> None:
    (program,), (arguments,) = said("ENTRYPOINT", LAST), said("CMD", LAST)
    assert json.loads(program) == ["trueup"]
    assert json.loads(arguments)[0] in typer.main.get_command(app).commands


def test_what_it_copies_is_there_and_is_all_that_it_is_given() -> None:
    copied = {name for each in said("COPY") if "--from" not in each for name in each.split()[:-1]}
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    assert {line[1:] for line in IGNORED if line.startswith("!")} == copied


def test_every_room_of_the_wheel_is_copied() -> None:
    rooms = re.search(r"only-include = \[(.*?)\]", (ROOT / "pyproject.toml").read_text())
    assert rooms is not None
    assert {*re.findall(r'"(\w+)"', rooms[1])} <= {line[1:] for line in IGNORED}


def test_what_is_installed_is_pinned_and_no_secret_is_kept() -> None:
    assert "--require-hashes" in TEXT
    assert "ARG" not in [word for word, _ in STEPS]
    assert not re.search(r"(?i)(token|secret|password|key)\s*=", " ".join(said("ENV")))


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="no hadolint here")
def test_hadolint_has_no_objection() -> None:
    found = subprocess.run(["hadolint", str(FILE)], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "")

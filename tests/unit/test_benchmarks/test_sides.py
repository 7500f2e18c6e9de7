"""The revisions that are measured: where their code comes from, and that theirs is what runs."""

import shutil
import subprocess

import pytest

from benchmarks.sides import Side, revision

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def repository(tmp_path):
    """One with two commits; the first has another `sync` than the second."""

    def git(*arguments):
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True)

    git("init", "--quiet")
    (tmp_path / "sync").mkdir()
    for word in ("then", "now"):
        (tmp_path / "sync/__init__.py").write_text(f"WORD = {word!r}\n")
        git("add", "--all")
        git("commit", "--quiet", "--message", word)
    return tmp_path


@needs_git
def test_a_revisions_code_stands_in_a_folder_that_goes_with_the_block(repository):
    with revision("HEAD~1", repository) as side:
        assert (side.name, (side.root / "sync/__init__.py").read_text()) == (
            "HEAD~1",
            "WORD = 'then'\n",
        )
    assert not side.root.exists()


@needs_git
def test_a_revision_that_is_not_there_is_told(repository):
    with (
        pytest.raises(LookupError, match="there is no revision nowhere"),
        revision("nowhere", repository),
    ):
        pass


def test_a_side_runs_its_own_code_whatever_else_is_installed(tmp_path):
    (tmp_path / "trueup").mkdir()
    (tmp_path / "trueup/__init__.py").write_text("WORD = 'mine'\n")
    Side("then", tmp_path).cost("-c", "import trueup; assert trueup.WORD == 'mine'")


def test_a_command_that_fails_shows_what_it_said(tmp_path):
    with pytest.raises(RuntimeError, match=r"ended with 3:\nno luck"):
        Side("now", tmp_path).cost("-c", "print('no luck'); raise SystemExit(3)")


def test_a_process_is_measured_by_its_own_work(tmp_path):
    busy = Side("now", tmp_path).cost("-c", "x = bytearray(50_000_000)")
    assert busy.peak > 50_000_000
    assert busy.cpu > 0

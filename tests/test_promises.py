"""Each promise of docs/promises.md names tests that there are, and says how far they go."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
PROMISES = re.findall(r"^\*\*(.+?)\*\*\n((?:.+\n)*)", PAGE, re.MULTILINE)
NAMED = re.compile(r"`(tests/\S+\.py::\S+?)`")


@pytest.mark.parametrize(("promise", "below"), PROMISES, ids=[words for words, _ in PROMISES])
def test_a_promise_has_a_proof_and_says_how_far_it_goes(promise, below):
    proof, limit = below.splitlines()
    assert promise.endswith(".")
    assert proof.startswith("Proof: ")
    assert NAMED.search(proof)
    assert re.match(r"Limit: \w.+\.$", limit)


def test_every_test_that_is_named_is_collected():
    named = sorted(set(NAMED.findall(PAGE)))
    files = sorted({name.partition("::")[0] for name in named})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-o", "addopts=", *named]
    listed = subprocess.run(
        [*command, "--import-mode=importlib"], cwd=ROOT, capture_output=True, text=True
    )
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert [file for file in files if file not in listed.stdout] == []


def test_the_page_has_all_promises_in_this_form():
    assert len(PROMISES) == PAGE.count("\nProof: ") == PAGE.count("\nLimit: ")
    assert len(PROMISES) > 30

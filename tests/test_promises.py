"""Each promise of docs/promises.md names tests that there are, and says how far they go."""

import ast
import re
from functools import cache
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


@pytest.mark.parametrize("name", sorted(set(NAMED.findall(PAGE))))
def test_a_test_that_is_named_is_there(name):
    file, _, test = name.partition("::")
    assert Path(file).name.startswith("test_")
    assert test.startswith(("test_", "Test"))
    assert test in _collected(file)


@cache
def _collected(file: str) -> set[str]:
    """What a file of tests has at its top: to have pytest collect all of them takes ten times as
    long as all else here."""
    found = set[str]()
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def test_the_page_has_all_promises_in_this_form():
    assert len(PROMISES) == PAGE.count("\nProof: ") == PAGE.count("\nLimit: ")
    assert len(PROMISES) > 30

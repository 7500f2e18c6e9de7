"""Plan files, damaged in every way: each is read, or refused with a place."""

import json
import random
from datetime import date
from decimal import Decimal

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Cause, Change, Conflict, Plan, Trip
from canonical.kind import Kind, Op
from canonical.problem import Problem
from trueup.plans import read_plan, sealed_plan
from trueup.refusal import Refusal

BUDGET = Budget(
    ref="A",
    name="a",
    amount=Amount(Decimal("10.00"), "USD"),
    cadence="monthly",
    start=date(2026, 1, 1),
)
PLAN = Plan(
    plan_id="1",
    sync="s",
    source="erp",
    target="copy",
    as_of=date(2026, 3, 1),
    changes=(
        Change(
            op=Op.UPDATE,
            kind=Kind.BUDGET,
            ref="A",
            fields={"amount": ("9.00", "10.00")},
            cause=Cause.SOURCE,
            desired=BUDGET,
        ),
    ),
    conflicts=(Conflict(Kind.BUDGET, "B", None, "two", ("1", "2")),),
    problems=(Problem("erp", "row 3", "odd"),),
    guards=(Trip("max_money", "10%", "20%", "too much", "--allow max_money"),),
)
ODD = [
    None,
    1,
    -1,
    "",
    "x",
    [],
    {},
    [[]],
    {"a": 1},
    True,
    "9" * 5000,
    "\ud800",
    1e308,
    "2026-13-45",
]


def outcome(path):
    """ "read", or the message of the refusal."""
    try:
        read_plan(path)
    except Refusal as refusal:
        return str(refusal)
    return "read"


def damaged(chance, value):
    """`value` with one thing in it replaced, left out or doubled."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        if chance.random() < 0.1:
            return {key: each for key, each in value.items() if key != name}
        return value | {name: damaged(chance, value[name])}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [*value[:at], damaged(chance, value[at]), *value[at + 1 :]]
    return chance.choice(ODD)


def test_a_saved_plan_is_read_as_it_was(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(PLAN.save(), encoding="utf-8")
    assert read_plan(path).changes == PLAN.changes


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_plan_is_read_or_refused_with_its_file(tmp_path, seed):
    path, chance, whole = tmp_path / "plan.json", random.Random(seed), json.loads(PLAN.save())
    for _ in range(60):
        if chance.random() < 0.7:
            path.write_text(json.dumps(damaged(chance, whole)), encoding="utf-8")
        else:
            raw = bytearray(PLAN.save().encode())
            for _ in range(chance.randint(1, 4)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            path.write_bytes(raw[: chance.choice([len(raw), chance.randrange(len(raw))])])
        said = outcome(path)
        assert said == "read" or said.startswith(str(path)), said


@pytest.mark.parametrize("text", ["[" * 100_000, "", "null", '{"plan_id": ' + "9" * 5000 + "}"])
def test_no_text_is_a_mistake_of_ours(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text)
    assert outcome(path).startswith(str(path))


def test_a_plan_that_is_no_json_is_refused_with_line_and_column(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text('{"plan_id": "1",\n  oops}')
    assert outcome(path).startswith(f"{path}:2:3: ")


def test_a_plan_that_is_as_it_was_saved_is_applied(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(json.loads(PLAN.save())), encoding="utf-8")  # laid out otherwise
    assert sealed_plan(path).changes == PLAN.changes


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data["changes"][0].update(target_id="another"),
        lambda data: data["guards"].clear(),
        lambda data: data.update(allowed=["max_money"]),
        lambda data: data["changes"].clear(),
        lambda data: data.update(digest="0" * 64),
        lambda data: data.update(digest=None),
    ],
)
def test_a_plan_that_somebody_edited_is_refused_with_what_to_do(tmp_path, edit):
    path, data = tmp_path / "plan.json", json.loads(PLAN.save())
    edit(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(Refusal, match=r"not as it was saved.*trueup plan s --out"):
        sealed_plan(path)


def test_a_plan_without_a_digest_is_refused_with_what_to_do(tmp_path):
    path, data = tmp_path / "plan.json", json.loads(PLAN.save())
    del data["digest"]
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(Refusal, match=r"has no digest.*trueup plan s --out"):
        sealed_plan(path)

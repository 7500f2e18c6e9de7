"""What the soak calls wrong: nothing that it looks for passes it."""

from collections.abc import Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tests.soak.judging import grown, wrongly_held
from tests.soak.processes import Size

STATED = {"B1": Decimal("10.00"), "B1-1": Decimal("2.50")}


def judged(*held: tuple[str, str], stated: Mapping[str, Decimal] = STATED) -> list[str]:
    vendor: Any = SimpleNamespace(name="v", held=lambda: [(ref, Decimal(at)) for ref, at in held])
    erp: Any = SimpleNamespace(stated=lambda: stated)
    return list(wrongly_held(vendor, erp))


def test_what_is_there_once_to_the_cent_is_right():
    assert judged(("B1", "10"), ("B1-1", "2.5")) == []


@pytest.mark.parametrize(
    ("held", "wrong"),
    [
        ([("B1", "10"), ("B1", "10"), ("B1-1", "2.5")], "v: B1 is there 2 times"),
        ([("B1", "10")], "v: B1-1 is lost"),
        ([("B1", "10"), ("B1-1", "2.51")], "v: B1-1 has 2.51 and not 2.50"),
        ([("B1", "10"), ("B1-1", "2.5"), ("X", "1")], "v: X is there and nobody states it"),
    ],
)
def test_a_twin_a_loss_a_cent_and_a_stranger_are_told(held, wrong):
    assert judged(*held) == [wrong]


def sizes(*, last: Size) -> list[Size]:
    return [Size(100, 20, 5)] * 10 + [last] * 4


def test_a_process_that_is_as_it_was_is_flat():
    assert list(grown("one", sizes(last=Size(109, 23, 8)))) == []


def test_memory_files_and_threads_that_grow_are_told():
    told = [line.partition(" grew")[0] for line in grown("one", sizes(last=Size(120, 24, 9)))]
    assert told == ["one: memory", "one: files", "one: threads"]

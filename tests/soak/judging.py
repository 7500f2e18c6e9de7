"""What must be true at the end of a soak, each that is not as a line of its own."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from tests.soak.erp import Erp
from tests.soak.processes import Size
from tests.soak.vendors import Vendor

_FLAT = 1.10
_SLACK = 3
"""How many files, threads or connections the least of a third may have more by chance: a sync of
which no run was in hand at the one moment, and of which each moment has one at the other."""


def wrongly_held(vendor: Vendor, erp: Erp) -> Iterator[str]:
    """Twins, what is lost, what nobody stated, and what has other money than stated."""
    stated, held = erp.stated(), vendor.held()
    counted, found = Counter(ref for ref, _ in held), dict(held)
    for ref, times in sorted(counted.items()):
        if times > 1:
            yield f"{vendor.name}: {ref} is there {times} times"
        if ref not in stated:
            yield f"{vendor.name}: {ref} is there and nobody states it"
    for ref, money in sorted(stated.items()):
        if ref not in found:
            yield f"{vendor.name}: {ref} is lost"
        elif found[ref] != money:
            yield f"{vendor.name}: {ref} has {found[ref]} and not {money}"


def thirds(measured: Sequence[Size]) -> tuple[Sequence[Size], Sequence[Size]]:
    """The first and the last third of what was measured after the warm-up, a fifth of it."""
    warm = measured[len(measured) // 5 :]
    return warm[: len(warm) // 3], warm[-(len(warm) // 3) :]


def grown(name: str, measured: Sequence[Size]) -> Iterator[str]:
    """What a process has more of in the last third than in the first."""
    first, last = thirds(measured)
    before, after = (median(each.memory for each in third) for third in (first, last))
    if after > before * _FLAT:
        yield f"{name}: memory grew from {before / 1e6:.1f} to {after / 1e6:.1f} MB"
    for what in ("files", "threads"):
        yield from leaked(
            f"{name}: {what}", *([getattr(each, what) for each in third] for third in (first, last))
        )


def leaked(what: str, first: Sequence[int], last: Sequence[int]) -> Iterator[str]:
    """What is never given back raises the least that there is."""
    if min(last) > min(first) + _SLACK:
        yield f"{what} grew from {min(first)} to {min(last)}"

"""Identify: whom objects name, asked of the target once, and what it does not know."""

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import facts
from canonical.loss import Effect
from connectors.contract.records import Resolved
from connectors.memory.connector import Memory
from sync.identify import Identifier

ADA, BOB = Entity("user", "ada@x.com"), Entity("user", "bob@x.com")
BUDGET = Budget(ref="B", name="B", amount=Amount.of(1, "USD"), owners=(ADA.id, BOB.id))
SHARE = Allocation(ref="S", budget="B", entity=ADA, amount=Amount.of(1, "USD"))


class Directory(Memory):
    """Knows Ada as u1, and nobody else."""

    def __init__(self):
        super().__init__("directory")
        self.asked = []

    def resolve(self, entities):
        self.asked.append([*entities])
        return Resolved({ADA: Entity("user", "u1")}, {BOB: "there is no Bob"})


def test_everybody_is_asked_about_once():
    identifier = Identifier(directory := Directory())
    identifier.ask([BUDGET, SHARE])
    identifier.ask([SHARE])
    assert directory.asked == [[ADA, BOB], []]


def test_whom_the_target_does_not_know_blocks_who_names_them():
    identifier = Identifier(Directory())
    identifier.ask([BUDGET, SHARE])
    (loss,) = identifier.unknown(BUDGET)
    assert (loss.field, loss.effect, loss.reason) == ("owners", Effect.BLOCKED, "there is no Bob")
    assert [*identifier.unknown(SHARE)] == []


def test_what_the_target_shows_is_recognised_where_it_means_the_same():
    identifier = Identifier(Directory())
    identifier.ask([SHARE])
    theirs, other = (
        facts(Allocation(ref="1", budget="b", entity=Entity("user", id), amount=SHARE.amount))
        for id in ("u1", "u2")
    )
    observed, agreed = identifier.recognised(SHARE, theirs, Baseline(facts(SHARE), other))
    assert observed[0] == str(ADA)
    assert agreed == Baseline(facts(SHARE), other)


def test_what_else_was_agreed_is_kept():
    identifier = Identifier(Directory())
    identifier.ask([SHARE])
    said = Baseline(facts(SHARE), facts(SHARE), ("2.00",), "a rate", facts(SHARE))

    _, agreed = identifier.recognised(SHARE, facts(SHARE), said)

    assert agreed == said


def test_a_system_that_looks_nobody_up_takes_everybody_as_they_are():
    identifier = Identifier(Memory("erp"))
    identifier.ask([BUDGET, SHARE])
    assert [*identifier.unknown(BUDGET)] == []
    assert identifier.theirs(SHARE) == SHARE

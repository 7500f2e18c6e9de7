"""What the source is shown to have moved since it was written to is no other spelling of that."""

from dataclasses import replace
from datetime import date

from msgspec import structs

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import facts
from canonical.kind import FIELDS, Kind
from sync.unread import as_read, marked, with_mark_of

KIND = Kind.BUDGET
WAS = Budget(ref="A", name="Travel", amount=Amount.of(42, "USD"))
AT = FIELDS[KIND].index("amount")


def read(agreed, model):
    now = facts(model)
    return as_read(KIND, agreed, stated=now, wanted=now, money=None, record=now, converted=None)


def written():
    """What both agree on of a source that was told the amount and was not read since."""
    said = facts(WAS)
    return Baseline(said, said, shown=marked(KIND, said, ["amount"], said))


def remembered(agreed):
    """The same, once the amount was told to the target."""
    shown = with_mark_of(KIND, facts(WAS), agreed.shown, ["amount"])
    return replace(agreed, shown=shown)


def test_an_amount_that_moved_after_it_was_remembered_is_a_move():
    raised = structs.replace(WAS, amount=Amount.of(47, "USD"))

    found = read(remembered(written()), raised)

    assert (found.desired[AT], found.shown[AT]) == ("42.00", "42.00")


def test_an_end_that_the_source_got_since_is_a_move():
    found = read(written(), structs.replace(WAS, end=date(2026, 12, 31)))

    assert found.desired[FIELDS[KIND].index("end")] is None


def test_what_the_source_shows_as_it_answered_is_agreed():
    said, spelled = facts(WAS), structs.replace(WAS, amount=Amount.of(41, "USD"))
    agreed = Baseline(said, said, shown=marked(KIND, said, ["amount"], facts(spelled)))

    found = read(agreed, spelled)

    assert (found.desired[AT], found.echo[AT]) == ("41.00", "42.00")

"""What people said of which object is meant holds until it is so, in either database."""

from canonical.compare import Baseline
from canonical.kind import Kind
from sync.meaning import Meaning, Word
from sync.state.decisions import Decided
from sync.state.ledger import Entry, Ledger
from sync.state.meanings import Meanings

FACTS = tuple([None] * 16)


def said(word=Word.LINK, ref="A", id="b1"):
    return Meaning(word=word, kind=Kind.BUDGET, key=("", ref), id=id)


def say(store, *meanings, sync="s"):
    with store.write() as connection:
        Meanings(store, sync).say(connection, meanings)


def words(store):
    return [(each.word, each.key[1], each.id) for each in Meanings(store, "s").all()]


def test_what_was_said_comes_back_in_its_order_and_answers_no_question(store):
    say(store, said(), said(Word.APART, "B", "b2"))
    say(store, said(Word.ANEW, "C", "b3"), sync="other")

    decided = Decided(store).open("s")

    assert words(store) == [(Word.LINK, "A", "b1"), (Word.APART, "B", "b2")]
    assert [each.number for each in decided.meanings] == [1, 2]
    assert decided.numbers == []
    assert decided.of(Kind.BUDGET, ("", "A")) == {}
    assert decided.takers("b1") == [(Kind.BUDGET, ("", "A"))]


def test_a_word_ends_where_the_object_is_linked_to_its_ref_and_no_sooner(store):
    say(store, said(), said(Word.ANEW, "A", "b0"), said(ref="B", id="b2"))
    entry = Entry(
        kind=Kind.BUDGET, ref="A", budget_ref="", target_id="b1", origin="adopted",
        baseline=Baseline(FACTS, FACTS), source=b"",
    )  # fmt: skip
    meanings = Meanings(store, "s")
    with store.write() as connection:
        Ledger(store, "s").save_many(connection, [entry], "run")
        meanings.end_fulfilled(connection, meanings.all())

    assert words(store) == [(Word.ANEW, "A", "b0"), (Word.LINK, "B", "b2")]

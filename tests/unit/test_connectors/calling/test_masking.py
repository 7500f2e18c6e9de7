import base64
import html
import json
from typing import Literal
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.calling.masking import masked
from connectors.calling.parsing import decoded, known
from connectors.contract.errors import Malformed

SECRET = 'bxt_5f3a/+=& "key"\\ä'
FORMS = {
    "raw": SECRET,
    "upper": SECRET.upper(),
    "url": quote(SECRET, safe=""),
    "query": quote_plus(SECRET),
    "lower url": quote(SECRET, safe="").lower(),
    "json": json.dumps(SECRET)[1:-1],
    "html": html.escape(SECRET),
    "hex": SECRET.encode().hex(),
}


def test_a_secret_is_masked_in_every_form_that_others_give_it():
    for form, echoed in FORMS.items():
        assert masked(f"no such key <{echoed}>!", [SECRET]) == "no such key <***>!", form


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=7), st.binary(max_size=7))
def test_a_secret_is_masked_wherever_it_stands_in_base64(before, after):
    secret = "bxt_5f3a9c00"
    echoed = base64.b64encode(before + secret.encode() + after).decode()
    shown = masked(echoed, [secret])
    at_most = len(base64.b64encode(before + after)) + 4  # of its first and last byte some bits
    assert "***" in shown
    assert len(shown.replace("***", "")) <= at_most


def test_what_holds_no_secret_is_as_it_was():
    assert masked("budget_5f3a is not there", [SECRET]) == "budget_5f3a is not there"


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=4), st.text())
def test_no_text_and_no_secret_breaks_it(secret, text):
    assert secret not in masked(text + secret, [secret]) or secret in "***"


class Row(msgspec.Struct):
    status: Literal["active", "inactive"]


def test_no_unknown_word_of_an_answer_is_repeated_whole():
    with pytest.raises(Malformed, match="status is 'bxt_5f3a'…") as caught:
        known({"ACTIVE": 1}, 'bxt_5f3a/+=& "k', "status")
    with pytest.raises(Malformed) as also:
        decoded(Row, {"status": SECRET})
    for each in (caught, also):
        assert "ACTIVE" in str(each.value) or "status" in str(each.value)
        assert SECRET[:14] not in str(each.value)

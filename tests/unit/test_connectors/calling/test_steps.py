"""An operation of several calls: what a failure means once one of them has had an effect."""

import pytest

from connectors.calling.steps import in_steps, step_taken
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Transient,
    Unauthorized,
    Uncertain,
)

ERRORS = [Forbidden, Malformed, Missing, RateLimited, Rejected, Transient, Unauthorized]


class Stopped(Exception):
    """Something that no vendor said."""


@in_steps()
def write_within(error):
    step_taken()
    write(error, taken=0)


@in_steps()
def take_back(error):
    with in_steps() as steps:
        step_taken()
        steps.undone()
    raise error


@in_steps()
def write(error, *, taken):
    for _ in range(taken):
        step_taken()
    raise error


@pytest.mark.parametrize("kind", ERRORS)
def test_the_first_call_fails_as_what_it_is(kind):
    with pytest.raises(kind):
        write(kind("no"), taken=0)


@pytest.mark.parametrize("kind", ERRORS)
def test_after_an_effect_every_failure_is_uncertain_and_says_why(kind):
    error = kind("no")
    with pytest.raises(
        Uncertain, match="no; of the same operation 2 calls had been done"
    ) as caught:
        write(error, taken=2)
    assert caught.value.__cause__ is error


def test_what_is_no_error_of_a_connector_passes():
    with pytest.raises(Stopped):
        write(Stopped(), taken=1)


def test_an_operation_within_another_is_a_part_of_it():
    with pytest.raises(Uncertain):
        write_within(Rejected("no"))


def test_an_operation_begins_with_no_step_taken():
    with in_steps():
        step_taken()
    with pytest.raises(Rejected):
        write(Rejected("no"), taken=0)


def test_what_is_proved_to_be_taken_back_is_a_plain_refusal():
    with pytest.raises(Rejected):
        take_back(Rejected("no"))

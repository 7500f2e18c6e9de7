"""What a table of fields makes of a body."""

import pytest

from connectors.sandbox.fields import flag, shapes

CREATE, _ = shapes("name required required flag", flag=flag)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"name": True}, None),
        ({}, "name"),
        ({"name": 1}, "name"),
        ([], "body"),
        ({"name": True, "other": 1}, "other"),
        ({"name": True, "": 1}, '""'),
        ({"": 1, "name": 1}, '""'),
    ],
)
def test_the_first_wrong_field_is_named_and_its_name_is_never_empty(body, wrong):
    assert CREATE.wrong(body) == wrong
    assert CREATE(body) is (wrong is None)

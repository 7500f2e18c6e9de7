import json
from datetime import date

import pytest

from canonical.allocation import Alert, Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.data import model_data, model_of
from canonical.period import Cadence, Period

BUDGET = Budget(
    ref="MKT",
    name="Märkte",
    amount=Amount.of("12500.00", "USD"),
    limits=(Amount.of(1000, "impressions"),),
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    phases=(Phase(Period(date(2026, 1, 1)), Amount.of("0.10", "KWD")),),
    owners=("ada", "bob"),
    dimensions={"region": "emea"},
    alerts=(Alert(Amount.of(80, "USD").value, recipients=("ada",)),),
)
SHARE = Allocation(
    ref="a",
    budget="MKT",
    entity=Entity("user", "ada"),
    amount=Amount.of("99999999999999.99", "USD"),
    status=Status.INACTIVE,
    enforcement=Enforcement.HARD,
    phases=(Phase(Period(date(2026, 1, 1)), Amount.of("-1.10", "USD")),),
)


@pytest.mark.parametrize("model", [BUDGET, SHARE])
def test_a_model_comes_back_from_its_data_as_it_was(model):
    assert model_of(model_data(model)) == model


@pytest.mark.parametrize("model", [BUDGET, SHARE])
def test_the_data_is_what_json_gives_back(model):
    data = model_data(model)

    assert repr(json.loads(json.dumps(data))) == repr(data)


def test_data_of_something_else_is_refused():
    with pytest.raises(ValueError, match="name"):
        model_of({"ref": "MKT"})

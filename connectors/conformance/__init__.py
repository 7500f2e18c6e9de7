"""The conformance kit: checks of every numbered behaviour in `connectors.contract.interface`.

A connector proves itself by subclassing the suite in its own tests and saying how to reach it:

    class TestAcme(ConformanceSuite):
        @pytest.fixture
        def world(self):
            with Acme("acme", AcmeSettings(...), waitless()) as connector:
                yield World(connector=connector)

Each check asks for a world of its own. A check whose capability or hook is absent is skipped with
its name; every hook of `World` that is given switches more checks on. Needs pytest.
"""

import pytest

# Asserts in these files explain themselves only if pytest hears of them before their import.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in (
            "reading",
            "naming",
            "parts",
            "writing",
            "repeating",
            "together",
            "unique",
            "breaking",
            "holding",
            "failing",
            "leaving",
            "recording",
        )
    )
)

from connectors.conformance.breaking import Breaking  # noqa: E402
from connectors.conformance.drafts import drafts, field_values, having  # noqa: E402
from connectors.conformance.failing import Failing  # noqa: E402
from connectors.conformance.holding import Holding  # noqa: E402
from connectors.conformance.leaving import Leaving  # noqa: E402
from connectors.conformance.naming import Naming  # noqa: E402
from connectors.conformance.parts import Parts  # noqa: E402
from connectors.conformance.reading import Reading  # noqa: E402
from connectors.conformance.recording import Recording  # noqa: E402
from connectors.conformance.repeating import Repeating  # noqa: E402
from connectors.conformance.together import Together  # noqa: E402
from connectors.conformance.unique import UniqueNames  # noqa: E402
from connectors.conformance.world import World, waitless  # noqa: E402
from connectors.conformance.writing import Writing  # noqa: E402

__all__ = ["ConformanceSuite", "World", "drafts", "field_values", "having", "waitless"]


class ConformanceSuite(
    Reading,
    Naming,
    Writing,
    Parts,
    Repeating,
    Together,
    UniqueNames,
    Breaking,
    Holding,
    Failing,
    Leaving,
    Recording,
):
    """All checks. A subclass named `Test…` gives the `world` fixture and is collected by pytest."""

    @pytest.fixture
    def world(self) -> World:
        """The live connector and what its sandbox can do; to be given by the subclass."""
        raise NotImplementedError(f"{type(self).__name__} gives no world fixture")

"""How many examples a property is tried with: few in `make test`, more in `make test-faults`."""

import os

_TIMES = int(os.environ.get("TRUEUP_TEST_EXAMPLES", "1"))


def examples(few: int) -> int:
    """As many as fit into `make test`, times what TRUEUP_TEST_EXAMPLES says."""
    return few * _TIMES

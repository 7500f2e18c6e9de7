"""What can be wrong with the trade's own data, before any system is asked.

CanonicalError
 ├── UnknownUnit      a currency or count nobody has heard of
 ├── Inexact          a number that does not fit, where rounding would hide money
 └── UnitMismatch     arithmetic across two units
"""


class CanonicalError(ValueError):
    """The data itself is wrong; the message says what would be right."""


class UnknownUnit(CanonicalError):
    """The text is neither an ISO 4217 code nor a known count."""


class Inexact(CanonicalError):
    """The number cannot be held exactly where it is asked to go."""


class UnitMismatch(CanonicalError):
    """Two amounts of different units were put together."""

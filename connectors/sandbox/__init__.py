from typing import Final

TOKEN: Final = "TRUEUP_SANDBOX_TOKEN"  # noqa: S105  # a name
"""The environment variable that holds the credential to accept."""

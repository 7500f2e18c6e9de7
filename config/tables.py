"""What every table of the settings has in common: unknown keys are errors, nothing is coerced."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """One table of trueup.toml."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        defer_build=True,  # what is part of a whole is built with it alone
    )

"""What a system in memory may be told in the settings."""

from pydantic import Field

from connectors.contract.settings import Currency, SystemSettings


class MemorySettings(SystemSettings):
    """The keys of a system in memory."""

    connector: str = Field(default="memory", description="Which connector it is.")
    currency: Currency | None = Field(
        default=None, description="The only currency that it holds; default: each as it is."
    )
    page_size: int = Field(default=100, ge=1, description="Objects in one page of a listing.")

"""The reference connector: a system in memory that keeps the contract to the letter."""

from connectors.memory.connector import Memory, MemorySettings

__all__ = ["Memory", "MemorySettings"]

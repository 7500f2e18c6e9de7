"""The reference connector: a system in memory that keeps the contract to the letter."""

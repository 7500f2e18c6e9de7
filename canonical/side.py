"""The two sides of a sync."""

from enum import StrEnum


class Side(StrEnum):
    """Which of its two systems a change is made in."""

    SOURCE = "source"
    TARGET = "target"

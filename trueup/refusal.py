"""The error of a command that cannot be carried out as it was typed; exit code 2."""


class Refusal(Exception):
    """The message says why, and what would be right."""

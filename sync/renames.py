"""Why a ref cannot be renamed; apart, as every command knows these errors."""


class CannotRename(Exception):
    """What cannot be renamed; the message says why, and what would be right."""


class RenameWaits(CannotRename):
    """A write of it has an unknown outcome: a run has to settle that first."""

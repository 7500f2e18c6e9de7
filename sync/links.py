"""Why a ref cannot be linked or unlinked; apart, as every command knows these errors."""


class CannotLink(Exception):
    """What cannot be linked or unlinked; the message says why, and what would be right."""


class LinkWaits(CannotLink):
    """A write of it has an unknown outcome: a run has to settle that first."""

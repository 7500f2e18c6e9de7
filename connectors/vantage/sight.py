"""Sight: what it proves that a token does not show a budget. A token sees what its team sees.

a budget that is seen names it as its part    it is there, and hidden
the workspace is not seen                     all that is in it may be there
it was last below a budget that shows all     it is gone
of its children
else                                          it is gone, or hidden: nobody can tell
"""

from collections.abc import Callable

from connectors.contract.errors import ConnectorError, Forbidden, Missing, Unseen


def absence(
    answered: Missing,
    what: str,
    *,
    workspace: str,
    named_by: str | None,
    sees_workspace: Callable[[], bool],
    is_whole: Callable[[], bool],
) -> ConnectorError:
    """The error that says it: `what` no listing shows, and a read of it `answered` 404.

    `named_by` is the budget that is seen and names it; `is_whole` tells whether the one above it,
    when that was last agreed, shows all that it has below it.
    """
    assert answered.call is not None
    vendor = answered.call.vendor
    hint = f"Let the token of [systems.{vendor}] see what it saw before"
    if named_by is not None:
        said = f"the token does not see {what}, which {named_by} names as its part"
        return Forbidden(said, call=answered.call, hint=hint)
    if not sees_workspace():
        said = f"the token no longer sees workspace {workspace}"
        return Forbidden(said, call=answered.call, hint=hint)
    if is_whole():
        return answered
    said = f"{vendor} does not show {what} to this token: it was deleted, or is hidden"
    return Unseen(said, call=answered.call, hint=hint)

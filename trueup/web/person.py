"""Who acts: the person behind a request, and what they may do.

Every deed of the pages is told in the audit under this name.
"""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from sync.state.author import Author


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was let in. `may_operate`: make and apply plans, decide, undo, pause;
    `may_approve`: say yes or no to a plan that waits.

    `is_local` is whoever sees this machine's terminal: as for `trueup approve --as`, they may name
    who it is that says yes.
    """

    name: str
    may_operate: bool
    may_approve: bool
    is_local: bool = False

    @property
    def may_act(self) -> bool:
        """Whether they may do more than look."""
        return self.may_operate or self.may_approve

    @classmethod
    def here(cls) -> "Person":
        """Whoever came in by the link in the terminal: the user of this machine, who may do all."""
        return cls(Author.here().user, may_operate=True, may_approve=True, is_local=True)


def who(request: Request) -> Person:
    """The person of a request that was let in; raises the answer where nobody was."""
    person = getattr(request.state, "person", None)
    if not isinstance(person, Person):
        raise HTTPException(403, "nobody is logged in, and nothing was done")
    return person


def operator(request: Request) -> Person:
    """The same, where they may operate; else the answer is a refusal."""
    person = who(request)
    if not person.may_operate:
        raise HTTPException(403, f"{person.name} may not make or apply plans, decide or undo here")
    return person


def approver(request: Request) -> Person:
    """The same, where they may approve; else the answer is a refusal."""
    person = who(request)
    if not person.may_approve:
        raise HTTPException(403, f"{person.name} may not approve or refuse a plan here")
    return person

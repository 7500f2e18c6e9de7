"""Author: who writes into the state, as the audit tells it."""

import getpass
import os
import socket
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Author:
    """A user of this machine; `name` is what a person was called where the system's is not enough.

    `settings` is the version of the settings that are in force, None where there are none.
    """

    user: str
    host: str
    name: str | None = None
    settings: str | None = None

    @property
    def called(self) -> str:
        """What people call them: the name that was given, else the user's."""
        return self.name or self.user

    @classmethod
    def here(cls, *, name: str | None = None, settings: str | None = None) -> Self:
        """The user that this process runs as: as the system knows it, not as a variable says."""
        return cls(_user(), socket.gethostname(), name, settings)


def _user() -> str:
    try:
        import pwd  # not on every system

        return pwd.getpwuid(os.geteuid()).pw_name
    except ImportError:
        return getpass.getuser()
    except KeyError:  # a container whose user has no name
        return str(os.geteuid())

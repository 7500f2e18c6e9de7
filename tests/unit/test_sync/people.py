"""Who decides about what waits, in tests."""

from sync.state.decisions import Decided, Ruling
from sync.state.waits import Waits


class People:
    """Decides what the sync "s" left in the queue of a state."""

    def __init__(self, store):
        self.store = store

    def take(self, waiting, take, value=None):
        (asked,) = (
            each for each in Waits(self.store).queue(["s"]).waits if each.waiting == waiting
        )
        Decided(self.store).decide([Ruling(wait=asked, take=take, value=value)])

    def forget(self):
        with self.store.write() as connection:
            Decided(self.store).close(connection, Decided(self.store).open("s").numbers)

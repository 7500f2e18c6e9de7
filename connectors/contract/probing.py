"""Looking for what a lost create left behind, for vendors whose listing is cheap."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from canonical.identity import natural_key
from canonical.kind import Kind, kind_of
from connectors.contract.records import Draft, Observed, Page


def probe_by_listing(
    pages: Callable[[Kind], Iterator[Page]], drafts: Sequence[Draft]
) -> Mapping[int, Sequence[Observed]]:
    """List each kind among `drafts` once, by `pages`, and match what is there.

    By stamp, or by natural key where none was written, which counts only within the draft's own
    container. Raises what listing raises.
    """
    found: dict[int, list[Observed]] = defaultdict(list)
    for kind in Kind:
        wanted = [(i, each) for i, each in enumerate(drafts) if kind_of(each.model) is kind]
        if not wanted:
            continue
        for page in pages(kind):
            for item in page.items:
                for index, draft in wanted:
                    if _left_behind(draft, item):
                        found[index].append(item)
    return found


def _left_behind(draft: Draft, item: Observed) -> bool:
    if draft.container is not None and item.container != draft.container:
        return False
    if draft.stamp is not None:
        return item.stamp == draft.stamp
    return natural_key(item.model) == natural_key(draft.model)

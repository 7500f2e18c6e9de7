"""Budgets below budgets: every sum stays as it was meant.

In Vantage a budget with children is their sum. What its children do not use is held by one more
child, the rest; whoever changes a child changes the rest with it, and nothing is sent where the
children would need more than the budget has.
"""

from collections.abc import Mapping, Sequence

from connectors.contract.errors import Malformed, Rejected, Transient, Uncertain
from connectors.vantage.mapping import is_rest, rest_name
from connectors.vantage.periods import (
    Phases,
    follows,
    period_write,
    phases_of,
    remainder,
    throughout,
)
from connectors.vantage.unanswered import Unanswered
from connectors.vantage.wire import VantageBudgetWrite
from connectors.vantage.workspace import Workspace


class Hierarchy:
    """What hangs below what in `workspace`. Not safe to share between threads."""

    def __init__(self, workspace: Workspace, currency: str, unanswered: Unanswered) -> None:
        self._workspace, self._currency = workspace, currency
        self._unanswered = unanswered

    def left(self, parent: str, total: Phases, instead: Mapping[str, Phases]) -> Phases:
        """What the children of `parent` leave of `total`, where some hold something else `instead`.

        Raises `Rejected` where they need more, or where one of them cannot be seen.
        """
        self._workspace.ensure_whole(parent)
        self._workspace.see_parts(parent, instead)
        tree, parts = self._workspace.tree, dict(instead)
        for child in self._workspace.known(parent).child_budget_tokens:
            if child in parts:
                continue
            found = tree.get(child)
            if found is None:
                raise Rejected(f"its part {child} cannot be seen, so that no sum can be made")
            if not is_rest(found.name):
                parts[child] = tree.phases(child)
        return remainder(total, [each for part in parts.values() for each in part], self._currency)

    def resize(self, token: str, phases: Phases, said: VantageBudgetWrite) -> None:
        """Let a budget hold `phases`; its shares follow in time, the rests keep all sums."""
        workspace, above = self._workspace, self._workspace.tree.above(token)
        workspace.ensure_whole(token)
        total = workspace.tree.phases(above) if above else ()
        if above:
            self.left(above, total, {token: phases})
        if workspace.known(token).child_budget_tokens:
            shares = self._in_time(token, phases)
            self.left(token, phases, shares)
            for share, wanted in shares.items():
                workspace.put_phases(share, wanted)
            workspace.put(token, said)
            self._rebalance(token, phases)
        else:
            workspace.put_phases(token, phases, said)
        if above:
            self._rebalance(above, total)

    def join(self, token: str, above: str) -> None:
        """Put a budget below another, which holds as much as before; raises `Rejected`."""
        workspace = self._workspace
        total = workspace.tree.phases(above)
        if above in workspace.guessed:  # perhaps it never had its place: what is shown counts
            total = phases_of(workspace.known(above), self._currency) or total
        self._rebalance(above, total, joining=token)

    def move(self, token: str, above: str) -> None:
        """Take a budget from where it is and put it below another; the sums of both stay."""
        tree = self._workspace.tree
        before = tree.above(token)
        if before == above:
            return
        self._workspace.known(above)
        self.left(above, tree.phases(above), {token: tree.phases(token)})
        if before is not None:
            self._rebalance(before, tree.phases(before), leaving=token)
        self.join(token, above)

    def remove(self, token: str) -> None:
        """Delete a budget; its rest goes before it, and what it held to the rest above after.

        Where that breaks off, the next run still sees what is left to do: the budget itself, or
        a sum above that is not as it was. Raises what refuses it, and then it has its place again.
        """
        workspace, tree = self._workspace, self._workspace.tree
        above = tree.above(token)
        for each in filter(None, (token, above)):
            workspace.ensure_whole(each)
        total = tree.phases(above) if above and tree.get(above) else None
        found = tree.get(token)
        if found and not tree.is_allocation(token, found.name):
            if tree.rest_of(token) is None:
                workspace.look(token)
            workspace.see_parts(token)
            self._remove_rest(token)
        try:
            workspace.remove(token)
        except Rejected:  # perhaps it may not go while it has a place, or alerts
            stored = tree.get(token)
            if stored is None or not (above or stored.budget_alert_tokens):
                raise
            self._remove_bare(token, above if total is not None else None, total or ())
        else:
            if above is not None and total is not None:
                self._rebalance(above, total, leaving=token)

    def take_back(self, token: str, above: str) -> bool:
        """Remove what got no place below another, and the rest that was made for it.

        Whether all is as it was: not so where it had its place before something else was refused.
        """
        workspace, tree = self._workspace, self._workspace.tree
        placed = tree.above(token) == above
        if placed:
            before = workspace.known(above).child_budget_tokens
            self._place(above, [each for each in before if each != token], before)
        workspace.remove(token)
        rest = workspace.tree.rest_of(above) if workspace.tree.get(above) else None
        if rest is not None and workspace.tree.above(rest.token) is None:
            workspace.remove(rest.token)
        return not placed

    def _remove_rest(self, token: str) -> None:
        """A rest is nobody's to remove once its budget is gone: so it goes first."""
        workspace, tree = self._workspace, self._workspace.tree
        rest = tree.rest_of(token)
        if rest is None:
            return
        try:
            workspace.remove(rest.token)
        except Rejected:  # perhaps it may not go while it has a place
            before = workspace.known(token).child_budget_tokens
            if rest.token not in before:
                raise
            self._place(token, [each for each in before if each != rest.token], before)
            workspace.remove(rest.token)

    def _remove_bare(self, token: str, above: str | None, total: Phases) -> None:
        """Delete a budget without place and alerts; what is refused then gets its place back."""
        workspace = self._workspace
        if above is not None:
            self._rebalance(above, total, leaving=token)
        workspace.say_alerts(token, ())
        try:
            workspace.remove(token)
        except Rejected:
            if above is not None:
                self.join(token, above)
            raise

    def _in_time(self, token: str, phases: Phases) -> dict[str, Phases]:
        """The shares that last as long as their budget, for as long as `phases` do, each with the
        amount it has; a share with a time of its own stays as it is."""
        self._workspace.see_parts(token)
        tree = self._workspace.tree
        before = tree.phases(token)
        shares = {each.token: tree.phases(each.token) for each in tree.allocations(token)}
        return {
            share: throughout(held[0].amount, phases)
            for share, held in shares.items()
            if follows(held, before)
        }

    def _rebalance(
        self, parent: str, total: Phases, *, joining: str | None = None, leaving: str | None = None
    ) -> None:
        """Make children and rest of `parent` sum to `total`, with one more child or one less."""
        workspace = self._workspace
        if joining or leaving or workspace.tree.rest_of(parent) is None:
            workspace.look(parent)  # a list is about to be written, or a rest made
        before, tree = workspace.known(parent).child_budget_tokens, workspace.tree
        tokens = [child for child in before if child != leaving]
        if joining is not None and joining not in tokens:
            tokens.append(joining)
        changed = {joining: tree.phases(joining)} if joining else {}
        left = self.left(parent, total, changed | ({leaving: ()} if leaving else {}))
        if parent in workspace.guessed:
            before = []  # so that it is said
        rest = tree.rest_of(parent)
        if rest is not None and rest.token in tokens:
            self._place(parent, tokens, before)
            workspace.put_phases(rest.token, left)
            return
        if not tokens or any(phase.amount.value for phase in left):
            tokens.append(self._held(parent, rest.token if rest else None, left))
        self._place(parent, tokens, before)

    def _held(self, parent: str, rest: str | None, left: Phases) -> str:
        """The token of a rest that holds `left`, not yet below its parent."""
        workspace = self._workspace
        rest = rest or self._unanswered.awaited(
            parent,
            lambda: self._appeared(parent),
            self._workspace.known(parent).child_budget_tokens,
        )
        if rest is not None:
            workspace.put_phases(rest, left)
            return rest
        name = rest_name(workspace.known(parent).name or "")
        try:
            return workspace.post(VantageBudgetWrite(name=name, periods=period_write(left)))
        except (Transient, Uncertain, Malformed):
            self._unanswered.note(parent)
            raise

    def _appeared(self, parent: str) -> str | None:
        """The rest of a budget, if a listing shows one by now."""
        self._workspace.read_whole(again=True, about=parent)
        rest = self._workspace.tree.rest_of(parent)
        return rest.token if rest else None

    def _place(self, parent: str, tokens: Sequence[str], before: Sequence[str]) -> None:
        if [*tokens] != [*before]:
            self._workspace.put(parent, VantageBudgetWrite(child_budget_tokens=[*tokens]))

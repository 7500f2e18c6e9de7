"""Budgets below budgets: every sum stays as it was meant.

In Vantage a budget with children is their sum. What its children do not use is held by one more
child, the rest; whoever changes a child changes the rest with it, and nothing is sent where the
children would need more than the budget has.
"""

from collections.abc import Mapping, Sequence

from connectors.contract.errors import Rejected
from connectors.vantage.mapping import is_rest, rest_name
from connectors.vantage.periods import Phases, period_write, remainder, throughout
from connectors.vantage.wire import VantageBudgetWrite
from connectors.vantage.workspace import Workspace


class Hierarchy:
    """What hangs below what in `workspace`. Not safe to share between threads."""

    def __init__(self, workspace: Workspace, currency: str) -> None:
        self._workspace, self._currency = workspace, currency

    def left(self, parent: str, total: Phases, instead: Mapping[str, Phases]) -> Phases:
        """What the children of `parent` leave of `total`, where some hold something else `instead`.

        Raises `Rejected` where they need more, or where one of them cannot be seen.
        """
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
        self._rebalance(above, self._workspace.tree.phases(above), joining=token)

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
        """Delete a budget; what it held goes to the rest above, and its own rest goes too."""
        workspace, tree = self._workspace, self._workspace.tree
        above = tree.above(token)
        total = tree.phases(above) if above and tree.get(above) else None
        rest = tree.rest_of(token) if tree.get(token) else None
        try:
            workspace.remove(token)
            gone = True
        except Rejected:  # perhaps it may not go while it has a place, or alerts
            stored = tree.get(token)
            if stored is None or not (above or stored.budget_alert_tokens):
                raise
            gone = False
        if above is not None and total is not None:
            self._rebalance(above, total, leaving=token)
        if not gone:
            workspace.say_alerts(token, ())
            workspace.remove(token)
        if rest is not None:
            workspace.remove(rest.token)

    def _in_time(self, token: str, phases: Phases) -> dict[str, Phases]:
        """The shares of a budget for as long as `phases` last, each with the amount it has."""
        tree = self._workspace.tree
        shares = {each.token: tree.phases(each.token) for each in tree.allocations(token)}
        return {
            share: throughout(held[0].amount, phases)
            for share, held in shares.items()
            if len({phase.amount for phase in held}) == 1
        }

    def _rebalance(
        self, parent: str, total: Phases, *, joining: str | None = None, leaving: str | None = None
    ) -> None:
        """Make children and rest of `parent` sum to `total`, with one more child or one less."""
        workspace, tree = self._workspace, self._workspace.tree
        before = workspace.known(parent).child_budget_tokens
        tokens = [child for child in before if child != leaving]
        if joining is not None and joining not in tokens:
            tokens.append(joining)
        changed = {joining: tree.phases(joining)} if joining else {}
        left = self.left(parent, total, changed | ({leaving: ()} if leaving else {}))
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
        if rest is not None:
            self._workspace.put_phases(rest, left)
            return rest
        name = rest_name(self._workspace.known(parent).name or "")
        return self._workspace.post(VantageBudgetWrite(name=name, periods=period_write(left)))

    def _place(self, parent: str, tokens: Sequence[str], before: Sequence[str]) -> None:
        if [*tokens] != [*before]:
            self._workspace.put(parent, VantageBudgetWrite(child_budget_tokens=[*tokens]))

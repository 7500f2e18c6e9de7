"""A connector as its author would write it in a package of their own: on what is installed."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count

from pydantic import SecretStr
from trueup.canonical.allocation import Allocation
from trueup.canonical.budget import Budget
from trueup.canonical.kind import Kind
from trueup.connectors.contract import (
    Capabilities,
    Check,
    Connector,
    Draft,
    Hold,
    Known,
    Missing,
    Observed,
    Page,
    Runtime,
    SystemSettings,
    leaving,
)

_FIELDS = ("name", "amount", "currency")


class AcmeSettings(SystemSettings):
    token: SecretStr


class Acme(Connector):
    """Budgets with a name and an amount, kept in memory."""

    Settings = AcmeSettings
    capabilities = Capabilities(vendor="acme", budget=dict.fromkeys(_FIELDS, Hold.EXACT))

    def __init__(self, name: str, settings: AcmeSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._budgets: dict[str, Budget] = {}
        self._ids = count(1)

    def check(self) -> Check:
        return Check("Acme, in memory")

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        held = self._budgets if kind is Kind.BUDGET else {}
        yield Page([Observed(id, budget) for id, budget in held.items()])

    def get(self, kind: Kind, id: str) -> Observed:
        if kind is not Kind.BUDGET or id not in self._budgets:
            raise Missing(f"{self.name} has no {kind} {id}")
        return Observed(id, self._budgets[id])

    def create(self, draft: Draft, key: str) -> Observed:
        leaving()
        id = f"acme-{next(self._ids)}"
        return self._keep(id, Budget(ref=id, name=draft.model.ref, amount=None), draft, _FIELDS)

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        leaving()
        return self._keep(id, self.get(Kind.BUDGET, id).model, draft, fields)

    def _keep(
        self, id: str, held: Budget | Allocation, draft: Draft, fields: Collection[str]
    ) -> Observed:
        assert isinstance(held, Budget), "only budgets are written"
        names = {"amount" if name == "currency" else name for name in fields}
        self._budgets[id] = replace(held, **{name: getattr(draft.model, name) for name in names})
        return self.get(Kind.BUDGET, id)

"""A real Tryton with books of forty cost centres, and connectors to it.

Where it cannot be installed, the tests that need it are skipped with the reason.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.problem import Problem
from connectors.contract.runtime import Runtime
from connectors.sandbox.server import Served, serve
from connectors.tryton.connector import Tryton
from connectors.tryton.declared import TrytonSettings
from tests.vendors.tryton.tryton_books import READER, READER_PASSWORD, Hand, months, number
from tests.vendors.tryton.tryton_proxy import TrytonProxy
from tests.vendors.tryton.tryton_server import BOOKS, Built, NotInstalled, built, copy_of, served

LINE = "analytic_account.budget.line"
TODAY = datetime(2026, 3, 15, 12, tzinfo=UTC)


@dataclass
class Erp:
    """A served Tryton: `hand` keeps its books, `proxy` is what connectors reach it through."""

    hand: Hand
    proxy: Served
    stack: ExitStack
    slept: list[float] = field(default_factory=list)

    def connector(self, **settings: Any) -> Tryton:
        """A connector of the reader's, or under the credential that is given."""
        said = {"login": READER, "password": READER_PASSWORD} if "key" not in settings else {}
        address = {"base_url": self.proxy.url, "database": BOOKS, "rate_limit": "1000000/1s"}
        own = TrytonSettings.model_validate({"connector": "tryton", **address, **said, **settings})
        runtime = Runtime(
            now=lambda: TODAY, sleep=self.slept.append, monotonic=lambda: sum(self.slept)
        )
        return self.stack.enter_context(Tryton("erp", own, runtime))

    def key(self) -> str:
        """The reader's key for REST."""
        ids = self.hand.find("res.user.application", ["user.login", "=", READER])
        (row,) = self.hand.model("res.user.application", "read", ids, ["key"])
        return str(row["key"])

    def plan(self, budget: Budget) -> None:
        """Somebody makes a project, and a line of it in the budget of each month that they have."""
        (root,) = self.hand.find("analytic_account.account", ["code", "=", "PR"])
        said = {"name": budget.name, "code": budget.ref, "type": "normal", "state": "opened"}
        above = {"root": root, "parent": root, "company": 1}
        (account,) = self.hand.make("analytic_account.account", {**said, **above})
        documents = self.hand.find("analytic_account.budget", ["root", "=", root])
        amounts = [budget.in_force(first) for _, first, _ in months()]
        lines = (
            {"budget": id, "account": account, "amount": number(-amount.value)}
            for id, amount in zip(documents, amounts, strict=False)
            if amount is not None
        )
        made = self.hand.make(LINE, *lines)
        self.stack.callback(self.hand.model, "analytic_account.account", "delete", [account])
        self.stack.callback(self.hand.model, LINE, "delete", made)

    @contextmanager
    def garbling(self) -> Iterator[Callable[[Kind], None]]:
        """What makes one budget, or one allocation, unreadable, until it ends."""
        with ExitStack() as undone:

            def garble(kind: Kind) -> None:
                if kind is Kind.BUDGET:
                    undone.enter_context(self.second_plan("PR3"))
                else:
                    undone.enter_context(self.half_spread("PR3", "6100"))

            yield garble

    @contextmanager
    def second_plan(self, code: str) -> Iterator[None]:
        """January is planned a second time for that analytic account, and for no other."""
        model = "analytic_account.budget"
        (line,) = self.hand.find(LINE, ["account.code", "=", code], ["budget.name", "=", "2026-01"])
        (row,) = self.hand.model(LINE, "read", [line], ["account", "budget"])
        (again,) = self.hand.model(model, "copy", [row["budget"]], {"name": "Revised"})
        others = ["account", "!=", row["account"]]
        self.hand.model(LINE, "delete", self.hand.find(LINE, ["budget", "=", again], others))
        yield
        self.hand.model(model, "delete", [again])

    @contextmanager
    def amounts_kept(self, *lines: int) -> Iterator[None]:
        """The lines have their amounts again in the end."""
        rows = self.hand.model(LINE, "read", list(lines), ["amount"])
        try:
            yield
        finally:
            for row in rows:
                self.hand.write(LINE, [row["id"]], amount=row["amount"])

    @contextmanager
    def half_spread(self, document: str, account: str) -> Iterator[None]:
        """A period of that account's line has nothing of its amount any more."""
        model = "account.budget.line.period"
        first, *_ = self.hand.find(
            model,
            ["budget_line.budget.name", "=", document],
            ["budget_line.account.code", "=", account],
        )
        (row,) = self.hand.model(model, "read", [first], ["ratio"])
        self.hand.write(model, [first], ratio=number(0))
        yield
        self.hand.write(model, [first], ratio=row["ratio"])

    def budgets(self, **settings: Any) -> tuple[dict[str, Budget], list[Problem]]:
        """What a connector lists, by ref, and what it cannot read."""
        (page,) = self.connector(**settings).list(Kind.BUDGET)
        return {each.id: each.model for each in page.items}, [*page.problems]

    def shares(self, **settings: Any) -> tuple[dict[str, Allocation], list[Problem]]:
        """The same of allocations."""
        connector = self.connector(**settings)
        [*connector.list(Kind.BUDGET)]
        (page,) = connector.list(Kind.ALLOCATION)
        return {each.id: each.model for each in page.items}, [*page.problems]


@pytest.fixture(scope="session")
def tryton() -> Built:
    """Tryton, installed, and a database with the books."""
    try:
        return built()
    except NotInstalled as error:
        pytest.skip(f"no Tryton here: {error}")


@pytest.fixture(scope="session")
def books(tryton: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a copy of the books: to start one takes longer than a test."""
    databases = tmp_path_factory.mktemp("tryton")
    copy_of(tryton, databases)
    with served(tryton, databases) as url:
        yield url


@pytest.fixture(scope="session")
def hand(books: str) -> Iterator[Hand]:
    """Somebody who keeps the books; what a test changes by it, the test puts back."""
    with Hand(books, BOOKS) as hand:
        yield hand


@pytest.fixture(scope="session")
def proxied(books: str) -> Iterator[Served]:
    """What connectors reach the server through."""
    proxy = TrytonProxy(books)
    with closing(proxy), serve(proxy) as served:
        yield served


@pytest.fixture
def erp(hand: Hand, proxied: Served) -> Iterator[Erp]:
    proxied.sandbox.reset()
    with ExitStack() as stack:
        yield Erp(hand, proxied, stack)

"""A browser for tests: it keeps cookies, and asks the console without a server between them."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from threading import Event

import httpx
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.data import model_data
from canonical.facts import facts
from canonical.kind import Kind, Op
from canonical.period import Cadence, Period
from canonical.phase import Phase
from canonical.waiting import Rule, Waiting
from sync.state.history import History
from sync.state.journal import Journal, Operation
from sync.state.lease import Lease
from sync.state.ledger import Entry, Ledger
from sync.state.waits import Question, Waits
from trueup.web.application import app
from trueup.web.jobs import Jobs
from trueup.workspace import open_workspace

HOST = "127.0.0.1:8470"
HOSTILE = "<script>alert(1)</script>\"'\x1b[2J"
SETTINGS = """
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.cards]
connector = "brex"
token = "file:token"

[systems.clouds]
connector = "vantage"
token = "file:token"
workspace_token = "wrkspc_1"
currency = "USD"

[syncs.erp-to-cards]
source = "erp"
target = "cards"

[syncs.erp-to-clouds]
source = "erp"
target = "clouds"
"""
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time


class Browser:
    """Asks the console, from the address `peer`; `tokens` are those of the links that were
    announced."""

    def __init__(self, workspace, peer="127.0.0.1", now=None):
        self.workspace, self.form_tokens, self.peer = workspace, {}, peer
        self.clock, self.tokens, self.cookies = now or Clock(), [], {}
        self.jobs = Jobs(self.clock, Event())
        self.app = app(
            workspace, hosts={HOST}, announce=self.tokens.append, jobs=self.jobs, now=self.clock
        )

    def ask(self, method, path, *, host=HOST, **more):
        # on a thread of its own: where a real browser was driven before, this one has a loop still
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(asyncio.run, self._ask(method, path, host, more)).result()
        for name, value in answer.cookies.items():
            self.cookies[name] = value
        return answer

    async def _ask(self, method, path, host, more):
        transport = httpx.ASGITransport(
            self.app, raise_app_exceptions=False, client=(self.peer, 50_000)
        )
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://{host}", cookies=self.cookies
        ) as client:
            return await client.request(method, path, **more)

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def page(self, path):
        """The text of a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path, data=None, **more):
        """Press a button: with the token that the pages of this session hold."""
        data = {"form_token": self.form_token(), **(data or {})}
        return self.ask("POST", path, data=data, **more)

    def press(self, path, data=None):
        """The same, and the page that is shown after it."""
        return self.press_on(path, data)[1]

    def press_on(self, path, data=None):
        """The same, with the address of that page."""
        answer = self.post(path, data)
        while answer.status_code == 303:
            at = answer.headers["location"]
            answer = self.get(at)
        assert answer.status_code == 200, answer.text
        return at, answer.text

    def form_token(self):
        session = self.cookies.get("trueup")
        if session not in self.form_tokens:
            html = self.page("/plans")
            self.form_tokens[session] = re.search(r'name="form_token" value="([^"]+)"', html)[1]
        return self.form_tokens[session]

    def enter(self):
        """Open a new link."""
        self.cookies.clear()
        self.get("/")
        assert self.get(f"/enter?token={self.tokens[-1]}").status_code == 200
        return self


@contextmanager
def browsing(folder, now=None):
    """A browser that was let in, on the state of a folder."""
    with open_workspace(folder / "trueup.toml") as workspace:
        browser = Browser(workspace, now=now)
        try:
            yield browser.enter()
        finally:
            browser.jobs.close()


def folder_of(path):
    """Settings, and a token that no page may show."""
    (path / "trueup.toml").write_text(SETTINGS)
    (path / "token").write_text("tok_canary_31f8")
    return path


def usd(number):
    return Amount.of(number, "USD")


def budget(ref, amount="1200.00", **more):
    return Budget(ref=ref, name=more.pop("name", f"Name of {ref}"), amount=usd(amount), cadence=Cadence.MONTHLY,
                  start=date(2026, 1, 1), end=date(2026, 12, 31), **more)  # fmt: skip


def linked(store, sync, *pairs, ids="b"):
    """What both sides agreed: each stated, and as the target holds it."""
    entries = []
    for number, (stated, held) in enumerate(pairs):
        kind = Kind.BUDGET if isinstance(stated, Budget) else Kind.ALLOCATION
        above = "" if kind is Kind.BUDGET else stated.budget
        baseline = Baseline(facts(stated), facts(held))
        entries.append(
            Entry(
                kind=kind,
                ref=stated.ref,
                budget_ref=above,
                target_id=f"{ids}-{number}",
                origin="created",
                baseline=baseline,
                source=b"s" * 16,
            )
        )
    with store.write() as connection:
        Ledger(store, sync).save_many(connection, entries, "run-1")


def fill(store):
    """Three budgets in two systems, one of them held otherwise; a run that wrote; two waits."""
    phases = tuple(
        Phase(Period(date(2026, n, 1), date(2026, n, 28)), usd(f"{100 * n}.00")) for n in (1, 2, 3)
    )
    travel, ads = budget("CC1", name="Travel"), budget("CC2", "3000.00", name=HOSTILE)
    phased = budget("CC3", name="Phased", phases=phases)
    share = Allocation(
        ref="a", budget="CC1", entity=Entity("account", "6100"), amount=usd("500.00")
    )
    less = budget("CC2", "2500.00", name=HOSTILE)
    timed = replace(share, cadence=Cadence.MONTHLY, start=date(2026, 1, 1))
    linked(store, "erp-to-cards", (travel, travel), (ads, less), (timed, share))
    linked(store, "erp-to-clouds", (travel, travel), (phased, phased), ids="v")
    _run(store)
    questions = [
        Question(
            waiting=Waiting(
                rule=Rule.DRIFT,
                reason=f"edited: {HOSTILE}",
                kind=Kind.BUDGET,
                ref=ref,
                name=ref,
                field="amount",
                source="1200.00",
                target="1450.00",
                money="250.00 USD",
            ),
            ways=("source", "target", "VALUE"),
        )
        for ref in ("CC1", "CC-unknown")
    ]
    with store.write() as connection:
        Waits(store).record(connection, "erp-to-cards", "run-1", questions, tuple(Rule))


def _run(store):
    """A run that raised CC1, of which the vendor called its request req-77."""
    history = History(store)
    with Lease.take(store, "erp-to-cards", now=store.now) as lease:
        begun = store.now()
        history.start("f" * 32, "erp-to-cards", "run", begun)
        journal = Journal(store, "erp-to-cards", lease)
        operation = Operation(
            id="1" * 32, run_id="f" * 32, seq=1, op=Op.UPDATE, kind=Kind.BUDGET, ref="CC1", key="k",
            fields=("amount",), before={"amount": "1000.00", "currency": "USD"},
        )  # fmt: skip
        journal.plan([operation])
        journal.sent("1" * 32, "f", {"model": model_data(budget("CC1"))})
        journal.applied("1" * 32, "b-0", request_ids=["req-77"])
        report = {"counts": {"applied": 1}, "verified": True, "pending": 0, "drift": 1}
        report["plan"] = {"kept": 2, "conflicts": [], "waits": [], "guards": []}
        history.finish("f" * 32, "partial", begun + timedelta(seconds=3), report)

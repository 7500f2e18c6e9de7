"""Users whom the source names by e-mail: found at Brex while planning, or blocked in the plan."""

import pytest
from msgspec.structs import replace

from canonical.allocation import Enforcement
from canonical.change import Change
from canonical.kind import Kind, Op
from canonical.loss import Effect
from connectors.contract.errors import Forbidden, Rejected
from connectors.contract.records import Draft
from sync.engine import Engine
from sync.spec import SyncSpec
from tests.vendors.brex.test_brex_runs import NOW, OPEN, TODAY, Round, budget, opened, share, usd

__all__ = ["opened"]
ADA, GRACE, NOBODY = "ada@example.com", "grace@example.com", "nobody@example.com"


@pytest.fixture
def round(opened):
    return opened()


def lookups(round: Round) -> list[str]:
    found = [each["query"] for each in round.served.log if each["path"] == "/v2/users"]
    round.served.sandbox.log.clear()
    return found


def blocked(round: Round) -> dict[str, str]:
    """What the plan says cannot be done, by ref; the plan itself writes nothing."""
    spec = SyncSpec(name="s", source="a", target="b", limits=OPEN)
    engine = Engine(spec, round.source, round.brex, round.store, now=lambda: NOW)
    round.served.sandbox.log.clear()
    changes: tuple[Change, ...] = engine.plan(TODAY).changes
    assert [each for each in round.served.log if each["method"] != "GET"] == []
    return {
        each.ref: next(loss.reason for loss in each.losses if loss.effect is Effect.BLOCKED)
        for each in changes
        if each.op is Op.BLOCKED
    }


def test_emails_are_written_as_ids_and_an_unchanged_run_asks_nobody(round):
    round.source.put(budget(owners=(ADA,), allocations=(share(f"user:{GRACE}"),)))

    round.settled()

    assert lookups(round) == []
    assert round.rows("budgets", name="Name B")[0]["owner_user_ids"] == ["cuuser_ada"]
    assert round.rows("spend_limits", name=GRACE)[0]["member_user_ids"] == ["cuuser_grace"]


def test_an_email_is_looked_up_once_in_a_run_however_often_it_is_named(round):
    shares = tuple(share(f"user:{ADA}", ref) for ref in ("S", "T"))
    round.source.put(budget("A", owners=(ADA,)), budget(owners=(ADA,), allocations=shares))

    assert round.run().verified

    assert lookups(round) == ["email=ada%40example.com"]


def test_unknown_people_are_blocked_in_the_plan_and_the_others_are_made(round):
    shares = (share(f"user:{NOBODY}"), share(f"user:{ADA}", "T"))
    round.source.put(budget("A", owners=(ADA, NOBODY)), budget(allocations=shares))

    found = blocked(round)
    report = round.run()

    assert set(found) == {"A", "S"}
    assert all(f"no user {NOBODY}" in reason for reason in found.values())
    assert '"user:nobody@example.com"' in found["S"]
    assert report.to_data()["counts"] | {"applied": 2, "rejected": 0} == report.to_data()["counts"]


def test_ids_and_people_with_a_row_are_looked_for_in_one_list_of_all(opened):
    round = opened(entities={f"user:{ADA}": "cuuser_grace"})
    shares = (share(f"user:{ADA}"), share("user:cuuser_ada", "T"))
    round.source.put(budget(owners=("cuuser_ada",), allocations=shares))

    assert round.run().verified

    assert lookups(round) == [""]
    round.settled()
    assert lookups(round) == []
    assert round.rows("spend_limits", name=ADA)[0]["member_user_ids"] == ["cuuser_grace"]


def test_ids_that_brex_does_not_have_are_blocked_in_the_plan(opened):
    round = opened(entities={"user:E7": "cuuser_gone"})
    shares = (share("user:VXNlcjox"), share("user:E7", "T"), share("user:cuuser_ada", "U"))
    round.source.put(budget("A", owners=("usr_00000001",)), budget(allocations=shares))

    found = blocked(round)
    counts = round.run().to_data()["counts"]

    assert set(found) == {"A", "S", "T"}
    assert "no user VXNlcjox" in found["S"]
    assert 'correct the row "user:E7"' in found["T"]
    assert counts | {"applied": 2, "rejected": 0} == counts


def test_an_id_of_who_is_out_of_use_is_blocked_in_the_plan(round):
    users = round.served.state["users"]
    users.put(users.get("cuuser_ada") | {"status": "CLOSED"})
    round.source.put(budget(owners=("cuuser_ada",)))

    assert "CLOSED" in blocked(round)["B"]


def test_ids_pass_where_the_token_may_not_read_users(opened):
    round = opened(reads_users=False)
    round.source.put(budget(owners=("cuuser_ada",), allocations=(share("user:cuuser_ada"),)))

    round.settled()

    assert len(lookups(round)) == 0


def test_a_token_that_may_not_read_users_is_asked_once_and_the_plan_says_what_to_do(opened):
    round = opened(reads_users=False)
    round.source.put(budget(allocations=(share(f"user:{ADA}"), share(f"user:{GRACE}", "T"))))

    found = blocked(round)

    assert len(lookups(round)) == 1
    assert all("users.readonly" in reason and "entities" in reason for reason in found.values())


@pytest.mark.parametrize("status", ["CLOSED", "DISABLED", "DELETED", "INACTIVE", "ARCHIVED"])
def test_who_is_out_of_use_is_not_meant(round, status):
    users = round.served.state["users"]
    users.put(users.get("cuuser_ada") | {"status": status})
    round.source.put(budget(owners=(ADA,)))

    assert status in blocked(round)["B"]


def test_of_two_users_with_one_email_none_is_guessed(round):
    users = round.served.state["users"]
    users.put(users.get("cuuser_ada") | {"id": "cuuser_twin"})
    round.source.put(budget(owners=(ADA,)))

    assert "cuuser_ada, cuuser_twin" in blocked(round)["B"]


def test_a_filter_that_does_nothing_finds_the_right_user(opened):
    round = opened(ignores_email=True, largest_page=1)
    round.source.put(budget(owners=("GRACE@example.com",)))

    round.settled()

    assert round.rows("budgets", name="Name B")[0]["owner_user_ids"] == ["cuuser_grace"]


def test_what_is_lost_from_memory_is_recognised_by_who_it_is_for(round, opened):
    stated = budget(owners=(ADA,), allocations=(share(f"user:{ADA}"), share(f"user:{GRACE}", "T")))
    round.source.put(stated)
    round.run()
    for table in ("budgets", "spend_limits"):
        for row in round.rows(table):
            round.served.state[table].put(row | {"description": None})  # no stamp tells
    afresh = opened()
    afresh.brex, afresh.served = round.brex, round.served
    afresh.source.put(stated)

    assert afresh.settled() == []


def test_a_new_owner_who_is_unknown_holds_back_the_owners_and_nothing_else(round):
    round.source.put(budget(owners=(ADA,)))
    round.run()
    round.source.put(budget(owners=(ADA, NOBODY), amount=usd(70)))

    round.run()

    (row,) = round.rows("budgets", name="Name B")
    assert (row["amount"]["amount"], row["owner_user_ids"]) == (7000, ["cuuser_ada"])
    assert NOBODY in blocked(round)["B"]


def test_a_share_that_goes_to_an_unknown_person_stays_as_it_is(round):
    round.source.put(budget(allocations=(share(f"user:{ADA}"),)))
    round.run()
    round.source.put(budget(allocations=(share(f"user:{NOBODY}", amount=usd(7)),)))

    round.run()

    (row,) = round.rows("spend_limits", name=ADA)
    assert row["authorization_settings"]["base_limit"]["amount"] == 4000
    assert NOBODY in blocked(round)["S"]


def test_who_came_meanwhile_is_found_in_the_next_run(round):
    round.source.put(budget(owners=(NOBODY,)))
    round.run()
    sandbox = round.served.sandbox
    round.served.state["users"].put(sandbox.completed("users", {"id": "n", "email": NOBODY}))

    assert round.settled() == [Op.CREATE]


def test_an_unstamped_share_whose_answer_was_lost_is_found_by_its_user(round):
    made = round.brex.create(Draft(model=budget()), "k1")
    draft = Draft(model=replace(share(f"user:{ADA}"), budget=made.id), container=made.id)
    there = round.brex.create(Draft(model=budget().complete(draft.model), container=made.id), "k2")

    found = round.brex.probe([draft])

    assert [item.id for item in found[0]] == [there.id]


def test_a_user_who_is_gone_when_it_comes_to_writing_is_rejected_by_name(round):
    with pytest.raises(Rejected, match=f"no user {NOBODY}"):
        round.brex.create(Draft(model=budget(owners=(NOBODY,))), "k1")


@pytest.mark.parametrize("write", ["create", "update", "retire"])
def test_a_write_that_is_forbidden_names_budget_management(round, write):
    made = round.brex.create(Draft(model=budget()), "k1")
    switches = round.served.sandbox.switches
    round.served.sandbox.switches = switches.model_copy(update={"budget_management": False})
    does = {
        "create": lambda: round.brex.create(Draft(model=budget()), "k2"),
        "update": lambda: round.brex.update(made.id, Draft(model=budget()), {"name"}, "k2"),
        "retire": lambda: round.brex.retire(Kind.BUDGET, made.id, "k2"),
    }
    with pytest.raises(Forbidden) as caught:
        does[write]()
    assert "budget management" in str(caught.value)
    assert "scope budgets" in str(caught.value)


def test_a_budget_from_the_time_of_hard_limits_says_so_and_is_never_sent_it(round):
    made = round.brex.create(Draft(model=budget()), "k1")
    round.edit("budgets", "Name B", limit_type="HARD")

    there = round.brex.get(Kind.BUDGET, made.id).model

    assert there.enforcement is Enforcement.HARD
    round.source.put(budget(amount=usd(5), enforcement=Enforcement.HARD))
    round.settled()

"""Brex: Budgets API 1.0, budgets and spend limits.

Read: https://developer.brex.com/openapi/budgets_api (document of 2026-07-11) and the guides on
authentication, idempotency, pagination, rate limits and error codes, in November 2026.

    their word                    our word
    ----------                    --------
    budget (/v2/budgets)          budget: a node that tracks an amount and blocks nothing
    spend limit (/v2/spend_limits)  allocation: a wallet below a budget; it can block spending
    spend limit's member          the allocation's entity, when that is a user
    archive                       retire; there is no way back and no delete

/v1/budgets are spend limits under their old name and are not used.
Money is whole minor units with a currency, null meaning USD. Dates are days; that `end_date` is
the last day, inclusive, is our reading of "should stop counting", as Brex does not say.

Quirks
- A budget is always made below another one: `parent_budget_id`, else the only root there is.
- A spend limit needs an expense policy, and no call lists them: `expense_policy_id`, else the one
  that all existing spend limits have; where there is none, Brex is asked without.
- A spend limit cannot be moved below another budget, and one below no budget is passed over.
- Authorization settings may be null; they are then said whole, else only in part.
- `limit_type` HARD is a legal value that Brex refuses on budgets; we never send the field. What
  an old budget has of it is read as `hard`.
- Users are named by id; an e-mail is refused. So one that has no row in `entities` is looked up
  in the Team API while planning, once for new or changed objects, which takes `users.readonly`. A
  listing shows the id, so the ledger holds both and nobody is looked up again.
- A 403 of a write may mean that the account has no budget management; reads do not show it.
- PUT changes what it is sent and nothing else. Null is not sent: Brex does not say whether it
  clears a field or leaves it, so what is set on a budget cannot be emptied again.
- Free text takes ASCII only.
- EXPIRED is what Brex makes of an active budget whose end has passed: its end date says as much.
- A spend limit knows users, departments and legal entities; any other entity is kept as text, in
  the name and as "for TYPE:ID" in the description. So are the latter two: the text tells which of
  the fields counts, as none can be emptied, and who else may spend is left alone.
- How long an Idempotency-Key lives is not documented. We trust a day, the least that is common,
  and look before repeating all the same. A replay may be answered, refused or ignored.

Unit of writing: one budget or one spend limit.
"""

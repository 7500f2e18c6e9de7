"""BILL Spend & Expense (formerly Divvy): API v3, budgets and their members.

Read: developer.bill.com, "Budgets and Users", the reference of /v3/spend, rate limits, lists and
error codes, in November 2026.

    their word                    our word
    ----------                    --------
    budget (/v3/spend/budgets)    budget
    member of a budget            allocation; its entity is a user, its id "BUDGET/USER"
    limit, recurringLimit         amount of the current period, and of all later ones
    DELETE, retired               retire; a budget only their web and mobile apps bring back, a
                                  member the same PUT that makes one

Money is JSON numbers in US dollars, no currency is ever named. A period's endDate is the day of the
next reset, so exclusive; that expirationDate is the last day, inclusive, is our reading. Periods
begin at midnight in the budget's own time zone: where it is another day here, an amount meant for
the period that only one side has begun waits for the later midnight.

Quirks
- `limit` is written at the top and read as `currentPeriod.limit`; a member's `role` is read as
  `budgetRole`. Numbers may come as text.
- A budget holds two amounts: each is what counts on the first day of its period. It has a phase
  only where `recurringLimit` differs from the limit of the current period: from the next period to
  the end of the budget. One that ends before has none.
- Quarters and years begin in `recurMonth`, which not every answer has; so a budget of theirs is
  shown to start with the quarter or year in which it was made. The month is moved to the one in
  which ours begin only where their amounts differ.
- A member holds two amounts too, which are read and written as a budget's are. What somebody else
  set for later is seen with the details of the budget's members, and put back.
- A user is a member of a budget once. A second allocation of theirs is blocked in the plan or
  refused, as the one PUT would replace the other. Who was removed comes back as a plain member.
- Lists hide what is retired, and one real company's hid everything else: both are listed, and a row
  counts once. A filter may be ignored, so rows are judged by what they say.
- Ids are to give way to `uuid`, on no said day. An object goes by its id as long as an answer has
  one, then by its uuid; a path takes both, so a link by the old id still leads to the object.
- A budget's start is the day it was made. One that begins later is made on that day, not before.
- Owners are not in the answer: they are members with the role OWNER, named when the budget is made
  and moved when the source moves them. An owner or observer without money of their own is no
  allocation: where one is retired they stay, without money. Members keep their role when their
  limit changes.
- A parent must be a budget group, and a budget never moves below another one.
- Up to five new members of a budget are put in one call; above that BILL works on them later. What
  it answers is not documented, nor whether one that is refused stops the others: so the members are
  listed then, and who is not among them is put by themselves.
- Names may repeat and there are no keys: a lost create is looked for by name, with its stamp.
- A user is known by email, by a row in `entities`, or by BILL's own id; the API has no search by
  email, so users are listed once when a first one is met. Who is not there is blocked in the plan.
- Members of retired budgets are not listed: they are over with their budget.
- How soft a soft budget is cannot be read: it spends on without limit (`limitlessOverspend`), or
  `overspend_buffer` of the settings beyond it; a buffer above the limit counts as soft too.
  Budgets per day or week are always hard.
- Of a budget that declines what goes beyond it, owners assign no more than it has, in BILL's own
  pages. What the API says to more is not documented: it is told in the plan, and sent.

Unit of writing: one budget, or up to five new members of one.
"""

"""Vantage: Budgets API v2, budgets and budget alerts.

Read: https://docs.vantage.sh/api (budgets, budget alerts, pagination, rate limiting), the OpenAPI
document of 2026-08-22 and the vendor's own clients, in November 2026.

    their word                      our word
    ----------                      --------
    budget                          budget, per month, in one workspace; it blocks nothing
    period                          phase: a stretch of months with one monthly amount
    child of a hierarchical budget  allocation, if named "BUDGET / TYPE:ID"; else a budget below it
    cost report                     the allocation's entity
    budget alert                    alert: percent of the amount, to users and addresses
    delete                          delete; there is no soft form

Quirks
- An amount counts per month, however long its period. It is sent as a number and read as text.
- A hierarchical budget has no amount of its own: it is the sum of its children. So that a budget
  keeps its amount, what its children do not use is held by one more, "BUDGET / (unallocated)",
  which we write and never show. Children that need more than their budget has are refused.
- An allocation of one amount has the time of its budget, and follows when that changes; what has
  phases, one for a time of its own, stays as it is.
- An allocation's name and cost report say one entity. Where a person made them say two, the report
  counts; what a person took out of its budget is a share of nothing. Both are put back. The rest,
  renamed by hand, is a budget of its own.
- Only a parent knows its children, so an object's place is known when the last page is read.
- A budget cannot carry a stamp: after a lost answer it is known by its name and workspace.
- What a PUT of periods does to those it does not name (they stay or go) is not documented, and an
  empty list is not taken. We send all of them, cut where stored ones begin, so that those within
  the budget's time are replaced either way. One that stays outside of it, or gets in the way, is
  emptied by a second call; and a period of nothing reads as none.
- What Vantage makes of a period that begins or ends within a month is not documented: it is sent as
  stated. Two amounts in one month are blocked.
- An amount travels as a double: more than 15 digits are blocked, as they would not arrive.
- A year, a quarter or a single amount is split into months where `emulate` says so, and so is a
  share of it where each amount makes the same each month; one that does not is blocked.
- Whether a budget may be deleted while it has a parent or alerts is not documented: if it may not,
  it loses them first.
- Whether an open end reads as null, as "" or not at all is not documented: all three are read.
- No currency is named: all amounts are in the `currency` of the settings.
- Budgets of type "usage" count things, not money: they are passed over and never touched.
- A next-link may be relative; we take its page number and keep our own page size.
- The limit of 1000 calls an hour is the account's on one page, the token's on another: we take 800,
  and fewer where x-rate-limit-remaining, in every answer, says that others took more. A limited
  call says when it may come again as Unix time, in x-rate-limit-reset.
- A token sees what its team sees. What it does not show is gone only if the workspace is seen, no
  budget names it as its part, and the one it was last below is seen; of the others nobody can tell.

Unit of writing: one budget; a share of a budget takes up to three calls, and a read of its
budget, as a listing may lag behind what was written.
"""

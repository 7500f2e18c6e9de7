"""KaireonAI: Budgets API v1, budget allocations.

Read: https://docs.kaireonai.com/api-reference/budgets and the pages on authentication, security,
users, offers and frequency caps, in November 2026. There is no OpenAPI document.

    their word                      our word
    ----------                      --------
    budget allocation               a row: what one object may use in one period
    rows of one name, scope global  budget: one row for each period, from its start to its end
    rows with another scope         allocation of the budget that has their name; without a global
                                    row of it, a budget of their own
    scope, scopeId                  category, offer or channel and its id: the allocation's entity,
                                    or the dimension of such a budget
    maxSpend                        amount, in the currency of the settings
    maxImpressions, maxConversions  limits; or the amount itself, where that is a count

An object is the rows that share name, scope, scopeId and periodType; its id is that of its oldest
row, which a change of name, amount or entity does not touch. So a name is what tells budgets apart:
of two that have one name the plan blocks the second, as it does two shares of one budget for one
entity; and a budget that is renamed takes the rows of its allocations along.
An amount without phases counts in all rows, in those of passed periods too; without a start, rows
are made from the day of the first run on, and the first row listed is the start from then on.

Quirks
- Rows of scope global, category and channel enforce nothing by themselves: the contact policy
  `budget_exhausted` has the scopes offer and creative only.
- A row that does not say which object it is of may be of any: nothing is written to those.
- PUT and DELETE take the id in the body and in the query; there is no read of one row.
- DELETE needs an admin's key. Where a period goes, its row becomes that of a period that overlaps
  it, if one is new; so most changes need no delete.
- With a key `X-Tenant-Id` is ignored and the key's own tenant is used: every row read is checked,
  and a first row that was made for another tenant is deleted again.
- Samples of sessions send `X-Requested-With` with a write, others do not: we always do.
- Periods are whole calendar ones; nothing renews itself. An open end is held up to the horizon.
- No year and no single period: `emulate` holds them as quarters or months that sum to the amount.
- Whether PUT merges or replaces is not documented: a row is always sent whole. What is empty is
  left out, and null is sent only where a limit goes.
- No duplicate is known to be refused: a create looks first, and makes only the rows that miss.
- How soon a listing shows a new row is not documented: what we made counts as there for 60 seconds,
  and a listing that lacks it is asked again for that long.
- A write that fails after its first row is `Uncertain`, and a probe finds whole objects only.
- A row that we did not make, for a period that was neither agreed nor is wanted, is left alone.
- No paging is documented, and no cap on an answer: `count` must agree, and a cursor is followed.
  Where there are pages, one thread at a time writes, as a write may move those that are read.
- Where several limits are set the amount is the money, else the impressions: a budget that counts
  one of the later ones cannot have an earlier one beside it.
- The key of a week (2026-W12, ISO 8601), UTC and 2 digits of `maxSpend` are our reading.

Unit of writing: one row, which is one period of a budget or an allocation.
"""

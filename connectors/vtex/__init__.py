"""VTEX: Budgets API, budgets and allocations of B2B organization units.

Read: https://developers.vtex.com/docs/api-reference/budgets-api (OpenAPI document of May 2026), the
guide "Budgets and allocations", the guides on custom fields, authentication and rate limits, and
the answers recorded in VTEX's own Postman collection, in November 2026.

    their word                     our word
    ----------                     --------
    budget                         budget, of one unit: the unit's id is part of our id
    allocation                     allocation; `linkedEntity` is its entity
    cycle, autoResetOnPeriodEnd    cadence: a cycle of a day, week, month, quarter or year that
                                   renews itself; one that does not renew counts once
    balance                        actual: spent is amount − remaining, and may exceed the amount
    INACTIVE                       inactive; retiring sets it, of budgets and of allocations
    DELETED                        gone: a budget is purged, an allocation stays for its history

A call names a unit, and no call lists the budgets of all: our ids are UNIT/BUDGET and
UNIT/BUDGET/ALLOCATION, so that a second unit may join later. No call moves a budget to another
unit: of several, one whose dimension `unit` changes is refused in each run until it is settled.

Quirks
- No currency is named anywhere, and whether numbers are major or minor units is not documented:
  `currency` and `scale` are settings.
- A cycle that renews has no last day, and whether its dates move when it does is not documented.
  So the cycle is the period that we are in, and the budget's own start and end stand behind its
  description as [monthly from 2026-01-01 until 2026-12-31]. They count for as long as the cycle
  fits them. In the last period the renewal has to be off: until a run has switched it off, the
  budget is seen without an end.
- Other cycles that renew (VTEX's samples have one of thirty years) count once, without an end.
- Whether `endDate` still counts is not documented. The samples renew on that very midnight, so it
  is the first day after; `end_date = "inclusive"` takes it for the last one.
- Dates come in four spellings, those without a zone being UTC. We write theirs, of seven digits.
- A list shows summaries, the rest costs a read per budget; that one has the allocations too.
- PUT wants the whole object, and what becomes of a part that is left out is not documented: each
  is read first, and what is not ours is sent back. A status has a call of its own.
- `notificationSettings` is an object whose thresholds share their recipients, or (from a batch) a
  list where each has its own; both are read, the object is written.
- `referenceId` is the id of the contract that an allocation belongs to, and `contractId` the same:
  `contract_id` is written as both, what a person wrote there stays. No allocation bears a stamp:
  it is known by its entity within its budget. One of an earlier version gives way to the contract.
- Checkout matches entities by VTEX's own type and id: `entities` says which, and the plan names
  those that it cannot match. VTEX's pages differ on whether a custom field's id is that of its
  value's document, as the guide on custom fields and the buyer portal have it, or the value.
- New allocations of a budget go in a batch. Its size, its atomicity and its order are not
  documented, nor is one form of its alerts: what the answer does not show, or a refusal leaves in
  doubt, is looked for, and whatever has alerts is made by itself.
- No idempotency key, no version: a create is sent once, and the last writer wins.

Unit of writing: one budget or one allocation, its status apart; new allocations by batch.
"""

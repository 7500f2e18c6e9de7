"""Odoo: budgets of analytic accounts, by JSON-RPC of 14 to 18 or by JSON-2 of 19 and later.

Read: Odoo's pages on its external APIs and the fields of its budget models, in November 2026; what
a running 16.0 with OCA's account_budget_oca answered.

    their word                        our word
    ----------                        --------
    account.analytic.account          the cost centre: a budget's ref is its code
    crossovered.budget(.lines)        up to 17, and OCA's to 19: a document of lines
    budget.analytic, budget.line      Enterprise from 18 on: the same, a document has one period
    account.budget.post               a budgetary position: an allocation of the account's budget
    planned_amount, budget_amount     what a line plans; `sign` turns it: spend is negative there,
                                      but positive in expense budgets of budget.analytic

A code may be missing: the ref is then Odoo's own reference, such as `account.analytic.account,12`.
Amounts are in the company's currency. Lines of one account and period are summed, within a document
and over positions; where several documents plan one position at one time, the account is set aside,
as one of them may be the revised other.
An account that is archived is inactive.

Quirks
- Amounts are floats in JSON: their digits are read as they stand there. What is unset is `false`,
  never null; a `false` for an amount, a list or a number of records is no zero and no emptiness.
- A wrong password is answered with `false`, or with AccessDenied; it is sent once and not again.
- Errors of JSON-RPC come with status 200, by the name of the exception; JSON-2 has statuses. Of an
  error that says that the change was refused the transaction was rolled back; of any other nobody
  knows.
- What a method returns that returns nothing is missing in the answer.
- What rights or companies hide is not there, without an error: nothing is read before the user's
  own company was shown, nor believed to be empty before it is shown again.
- Pages go by id, and in the end Odoo counts the records. Nothing is read by its time of change:
  write_date is cut to seconds, is when a long transaction began, and stays when a line changes.
- There is no lock: the lines are looked at right before they are written, and again after it.
- Odoo rounds no planned amount: what is written has the rounding of the company's currency.

Unit of writing: the lines of one amount of one account, a transaction each.
"""

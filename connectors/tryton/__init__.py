"""Tryton: analytic budgets and account budgets, by JSON-RPC of 6.0 to 8.2 or by REST of 8.x.

Read: the sources of trytond and of its modules account_budget and analytic_budget, 7.0 and 8.2, in
November 2026; tried against running servers of 8.2 and 7.0.

    their word                       our word
    ----------                       --------
    analytic_account.account         the cost centre: a budget's ref is its code
    analytic_account.budget(.line)   one period of the budgets of all cost centres
    account.budget(.line)            budgets of a year by account; or, where it has the name of a
                                     cost centre, that one's allocations
    account.budget.line.period       what part of the line's amount counts in one period
    credit − debit                   `sign` turns it: spend is negative there

A code may be missing: the ref is then Tryton's own reference of the account, such as
`analytic_account.account,12`; a line without an account is known by its name.
A blank amount is not stated, a zero is one. A line's own amount counts, not the total that includes
its children, so that no amount counts twice. All amounts are in the company's currency.
An account that is closed is retired, one that is not active is inactive.
Lines of an account's several budgets are its phases; where two count at one time it is set aside.
The amount of an account budget's line is the truth, and its periods' ratios, of four digits, are
the weights by which it is split to the cent: their own amounts add up to a little less.

What others have seen spent is kept as amounts of analytic budgets that are copies of those that
are read, with names of their own; no move is posted.

Quirks
- A user without a company is answered with nothing and no error, and so is one whose current
  company is another: nothing is read before the user's own companies say otherwise, nor believed
  to be empty before they say so again.
- The preferences that a context takes name the user's companies from 8.0 on only; all of them do.
- A wrong password slows the next log-in and, after five, locks it: it is sent once and not again.
- A session that ended is renewed once; it is closed in the end.
- Errors of a call come with status 200; 401, 403, 404, 413, 422, 429, 503 and 504 are the server's.
- An answer longer than 1400 characters is said to be gzip even where that was not asked for.
- Pages go by id, and in the end Tryton counts the records: what was made or deleted meanwhile is
  seen. Nothing is read by its time of change: a long transaction commits behind any such mark, and
  a line that changes moves neither its budget nor its periods.
- A reply says nothing of a field that a key for REST may not read: its record cannot be read.
- In the address, `/rpc/` follows the database's name from 8.0 on; the server's version says so.

Unit of writing: the amounts of one cost centre, in one transaction, each line only as it was read;
by JSON-RPC alone, as REST takes no lock.
"""

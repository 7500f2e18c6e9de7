"""ERPNext: its budgets against cost centres and projects, by Frappe's REST, 13 to 16.

Read: the definitions of Budget, Budget Account, Budget Distribution, Monthly Distribution and
Fiscal Year and the sources of Frappe's REST, versions 13 to develop, in November 2026; not tried
against a running server, so what they leave open is taken at its worst.

    their word                       our word
    ----------                       --------
    Cost Center, Project             what a budget is for: its name is the budget's ref and name
    Budget                           some of its money: of one account and several periods (16 on),
                                     or of several accounts and one fiscal year (before)
    account, accounts                the allocations
    budget_distribution              the phases of an account
    Monthly Distribution             the weights by which an account's year is split into months
    docstatus 0, 1, 2                draft, submitted, cancelled: what is submitted counts
    amended_from, revision_of        the cancelled document that a draft is to replace

A ref is no document's name: one that is amended gets another name, and is the same money.
A group of cost centres has a budget of its own, beside those of the centres in it: it is nobody's
parent here. All amounts are in the company's currency. A cost centre that is disabled is inactive,
and so is a project that is; one that is completed or cancelled is retired.

Quirks
- Amounts are JSON floats of numbers with nine digits: they are read as the digits that came.
- Rows of a distribution are kept with three digits and come to a little less or more than the
  budget's amount; that one is the truth, and its rows are the weights by which it is split to the
  cent. ERPNext allows them to differ by 0.10.
- A listing holds no child rows. From 16 on those of many documents are asked for together, which
  ERPNext's pages do not speak of: only a budget that bears out that none is missing is believed,
  and any other document is read by itself.
- A listing says nothing of what the user may not see: which companies he is shown, and what his
  User Permissions leave, is asked before anything is read. That nothing at all is listed is never
  believed. A field that he may not read is missing, or null.
- Pages go by name: what is made meanwhile moves none of the others. The server's order of names is
  that of its database, so only the server compares them. The end is a page without records.
- In the end the listing is read once more: a document that was cancelled, amended or made
  meanwhile is seen, and all is read again.
- Between the cancelling of a budget and the submitting of its amendment its money does not count:
  its cost centre is set aside until then.
- Errors are JSON with a traceback in it, which is never shown, or pages of HTML. 417 is a refusal.
- A wrong credential is 401, or it is nobody's, who may read nothing: 403. It is sent once.

Nothing is written: budgets are made, submitted and amended in ERPNext itself.
"""

"""Databases: what two queries answer is read as budgets and allocations; what was spent is kept.

SQLAlchemy opens the database, with a driver that the user installs. A query's columns have our own
names (`connectors.rows`), or a layout says what they mean (`connectors.layouts`).

Nothing can be written while budgets are read: a query is one SELECT (`queries`), run in a
transaction that only reads and is rolled back at its end (`database`). Its answer is taken whole
into a file of this machine (`answers`) before any of it is believed, so the database is let go of
at once, and an answer that broke off is none. What was spent is written into one table of the
user's choice, by statements that hold no value (`spent`).
"""

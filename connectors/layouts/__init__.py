"""Layouts: how a table of any system means budgets, said as data.

A table is a sheet of rows of cells (`sheet`), whatever holds it; a layout (`language`) says which
row is the header (`headers`), which rows count (`rows`), what the columns mean (`columns`,
`numbers`, `dates`, `periods`, `calendars`), and which of them make a budget and which an allocation
(`grouping`). What comes of it are sums per budget, allocation and period (`reading`), and from
those canonical objects (`budgets`).
"""

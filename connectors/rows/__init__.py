"""Rows: tables of budgets whose columns have our own names, from wherever they come."""

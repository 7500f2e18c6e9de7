"""Budgets in files: our own columns, read as they are exported and written whole; and the files of
any other system, read by a layout.
"""

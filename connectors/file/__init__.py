"""Budgets in files: our own columns, read as they are exported and written whole; any other file by a
layout, which only reads.
"""

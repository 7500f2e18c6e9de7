"""Budgets in files: csv, json, jsonl and xlsx, read as they are exported and written whole."""

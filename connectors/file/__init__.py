"""Budgets in files: csv, json, jsonl and xlsx, read as they are exported and written whole."""

from connectors.file.connector import File
from connectors.file.declared import FileSettings

__all__ = ["File", "FileSettings"]

"""Undo: what a run did, taken back."""

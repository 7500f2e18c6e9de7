"""Intake: the source as a sync reads it: what is selected of it, in the currency of the target."""

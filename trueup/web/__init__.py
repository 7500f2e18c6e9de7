"""The web console: what the command line knows, as pages for people who do not read terminals.

`application` puts it together, a module a page beside it; `templates` and `static` are what those
are made of. It reads the state and keeps nothing itself: whoever ends it loses sessions, and the
plans that were made in it.
"""

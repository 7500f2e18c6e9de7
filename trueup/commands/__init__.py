"""The commands, one function each: it is given the session, and returns the exit code."""

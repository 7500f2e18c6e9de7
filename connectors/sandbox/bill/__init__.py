"""A stand-in for BILL over HTTP."""

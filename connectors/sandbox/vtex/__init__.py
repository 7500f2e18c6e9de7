"""A stand-in for VTEX over HTTP."""

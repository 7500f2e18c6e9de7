"""A stand-in for Brex over HTTP."""

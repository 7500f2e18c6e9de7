"""A stand-in for Vantage over HTTP."""

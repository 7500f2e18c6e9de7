"""A stand-in for ERPNext over HTTP."""

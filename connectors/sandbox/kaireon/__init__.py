"""A stand-in for Kaireon over HTTP."""

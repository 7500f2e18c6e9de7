"""A stand-in for Odoo over HTTP."""

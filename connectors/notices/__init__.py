"""Where messages go: a webhook with a signed body, and what bounds a delivery in time."""

"""What every connector promises and is given: all that a connector of your own needs."""

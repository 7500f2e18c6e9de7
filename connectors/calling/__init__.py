"""How every vendor is called: one HTTP client with its waiting, retrying, paging and parsing."""

"""What is remembered from one run to the next: links, baselines, the journal, runs and leases."""

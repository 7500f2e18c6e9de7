"""What a running Trueup shows to those who watch it: health, and metrics for Prometheus."""

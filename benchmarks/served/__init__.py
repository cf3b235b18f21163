"""What is served against what was trained; ``python -m benchmarks.served``."""

"""``fit``'s estimates beside published measurements: ``python -m benchmarks.published``."""

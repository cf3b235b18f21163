"""Commands ended at random points and resumed; ``python -m benchmarks.faults``."""

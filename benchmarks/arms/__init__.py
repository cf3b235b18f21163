"""Arms of the demo recipe: trained, evaluated and compared; ``python -m benchmarks.arms``."""

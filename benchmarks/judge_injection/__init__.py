"""Texts that speak to the judge; ``python -m benchmarks.judge_injection``."""

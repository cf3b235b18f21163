"""The engines of the evaluator side by side; ``python -m benchmarks.eval_engines``."""

"""Trainings of the recipes, measured; ``python -m benchmarks.train_gpu``."""

"""Evaluate safety and capability before and after training: ``python -m eval.run``."""

"""Intervals, tests, agreement and power, on plain numbers."""

"""Intervals, tests, agreement and power; plain numbers in, plain numbers out."""

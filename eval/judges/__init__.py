"""Judges of answers and thoughts: offline rules, a guard model, and rubrics put to a language model."""

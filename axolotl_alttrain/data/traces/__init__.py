"""Reasoning traces, and how to sample them from the target model."""

"""Reasoning traces, and sampling them from the target model."""

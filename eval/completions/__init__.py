"""Completions of every prompt, generated once and kept in a samples file."""

"""Prompt strategies for Axolotl's ``datasets:`` entries."""

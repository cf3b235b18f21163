"""Conversations with free thoughts, beside the AltTrain structure: their rows, and what of them is trained."""

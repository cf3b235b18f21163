"""The model card: a section with the results, and the command that writes and uploads it."""

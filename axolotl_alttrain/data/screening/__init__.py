"""What decides whether a row is used: duplicates, overlap, faults, languages, selection."""

"""What a training leaves beside its weights, and what is read back from it."""

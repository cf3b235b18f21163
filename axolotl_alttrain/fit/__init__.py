"""Estimate memory and time of a training from the model's config, on the meta device and without weights."""

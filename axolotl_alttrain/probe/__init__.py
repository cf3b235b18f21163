"""A small safety probe during training: ``alttrain: {probe_every: N}``."""

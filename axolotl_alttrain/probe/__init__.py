"""A small safety probe of the model while it trains, and the evaluation after it: ``alttrain: {probe_every: N}``."""

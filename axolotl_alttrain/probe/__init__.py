"""A small safety probe of the model while it trains: ``alttrain: {probe_every: N}``."""

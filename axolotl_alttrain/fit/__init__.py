"""Memory and time of a training, estimated before it: from the model's config on the meta device, without weights."""

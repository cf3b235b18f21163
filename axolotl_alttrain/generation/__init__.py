"""Load a model, decode with it, or request completions from a server."""

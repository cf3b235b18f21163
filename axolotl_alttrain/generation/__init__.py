"""Everything that loads a model, decodes with it or asks a server for completions."""

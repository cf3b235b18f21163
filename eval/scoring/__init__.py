"""From completions to scored samples and metrics."""

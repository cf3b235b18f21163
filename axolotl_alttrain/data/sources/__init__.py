"""The sources of traces: loading their rows, presets, and column maps."""

"""Where traces come from: rows are loaded (`loading`), presets say what their columns mean (`presets`, `columns`)."""

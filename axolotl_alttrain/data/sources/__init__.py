"""Where traces come from: rows are loaded (`row_loading`); `presets` and `columns` say what their columns mean."""

"""What a row carries beside its texts: prompt columns, tools, marks of loss, nulls of Arrow, keys of the config."""

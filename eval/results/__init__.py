"""What a run comes to: breakdowns, paired tests, tables and the manifest."""

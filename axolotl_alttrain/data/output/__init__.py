"""The output of a build: rows, report, card and page, and their upload."""

"""The plots of reports and comparisons; each has an alternative text that carries its numbers."""

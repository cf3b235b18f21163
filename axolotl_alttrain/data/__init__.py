"""Building an AltTrain data set from reasoning traces: sources, steps, assessors, selection, report."""

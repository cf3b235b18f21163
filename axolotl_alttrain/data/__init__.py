"""Builds an AltTrain dataset from reasoning traces: sources, screening, steps, assessors, output."""

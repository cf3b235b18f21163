"""The steps of an AltTrain example, made from a trace and its assessment."""

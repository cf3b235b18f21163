"""The steps of an AltTrain thought, written from a trace and its assessment."""

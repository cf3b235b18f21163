"""What an assessment concludes: read in twelve languages, each described by a file in ``languages/``."""

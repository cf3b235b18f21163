"""The guard judge: a safety classifier, its chat template and the verdicts it writes."""

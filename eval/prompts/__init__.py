"""The prompts of an evaluation: sets, suites, probes, attacks and capability tasks."""

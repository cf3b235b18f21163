"""The parts of learning a chat template's format, one subject each."""

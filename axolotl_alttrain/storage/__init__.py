"""Files and uploads: atomic writes, JSONL, the Hub."""

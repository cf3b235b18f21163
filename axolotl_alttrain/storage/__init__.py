"""Files and uploads: atomic writes, JSONL, YAML, HTML pages, the Hub."""

"""Checks that decide whether a row is used, the logs of excluded rows, and stratified selection."""

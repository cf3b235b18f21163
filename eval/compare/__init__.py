"""Finished runs that share prompts, paired: one table and one page."""

from .differences import compare_runs
from .runs import Run, check_pairs, load_runs
from .tables import markdown
from .write import compare

__all__ = ["Run", "check_pairs", "compare", "compare_runs", "load_runs", "markdown"]

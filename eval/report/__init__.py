"""What people look at: the self-contained HTML page of one evaluation."""

from .page import headline, write_report

__all__ = ["headline", "write_report"]

"""What people look at: the self-contained HTML page of one evaluation, its tables in Markdown, the model card."""

from .headline import headline
from .page import write_report

__all__ = ["headline", "write_report"]

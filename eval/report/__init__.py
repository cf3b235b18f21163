"""What people look at: the self-contained HTML page of one evaluation, its tables in Markdown, the model card."""

from axolotl_alttrain.eval.report.headline import headline
from axolotl_alttrain.eval.report.page.report_page import write_report

__all__ = ["headline", "write_report"]

"""What makes the pages in this folder."""

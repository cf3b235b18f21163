"""What a build writes beside its rows: report, card, page, logs; and the upload."""

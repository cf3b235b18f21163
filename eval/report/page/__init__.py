"""``report.html``: its template, and the samples that its browser shows."""

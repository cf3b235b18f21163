"""``report.json``: what a build took, left out and made. Written by the build, read by the card and the page.

The shape (numbers are counts unless named otherwise; keys never depend on the time or the machine)::

    {
      "name": "alttrain-1k",
      "seed": 1995,
      "config": {...},                      # the build's config, as validated
      "versions": {"axolotl_alttrain": "...", "datasets": "...", "pysbd": "..."},
      "rows": 1000,                         # rows of data.jsonl
      "counts": {"label": {"harmful": 900, "benign": 100}, "category": {...}, "language": {...}, "source": {...}},
      "sources": {"safechain": {"path": "UWNSL/SafeChain", "read": 40000, "candidates": 38000, "rows": 1000}},
      "rejected": {"unfinished": 12, "near_duplicate": 40, ...},    # by reason; the rows are in rejected.jsonl
      "understanding": {"rows": 1000, "changed": 15},               # PU that took in more than the first sentence
      "overlaps": {"rows": 3, "by_set": {"strongreject": 3}},       # the pairs are in overlaps.jsonl
      "duplicates": {"rows": 40},                                   # the pairs are in duplicates.jsonl
      "assessor": {
        "kind": "openai_compatible" | "local" | "offline",
        "model": "gpt-4o" | null,
        "prompt": "assess-1:3f2a...",       # name and digest of the prompt file; null offline
        "statement": "one sentence for readers on who assessed",
        "assessed": 1000, "set_aside": 7, "attempts": 1030,
        "prompt_tokens": 300000, "completion_tokens": 40000, "cost_usd": 1.15 | null
      },
      "tokens": null | {                    # with the config's tokenizer; null without one
        "tokenizer": "...",
        "prompt" | "problem_understanding" | "harmfulness_assessment" | "conditional_reasoning" | "answer" | "total":
          {"mean": 21.3, "p5": 9.0, "p50": 20.0, "p95": 44.0, "max": 71.0, "histogram": {"edges": [...], "counts": [...]}}
      },
      "variants": {"no_ha": {"file": "variants/no_ha.jsonl", "rows": 1000, "label": {"harmful": 900, "benign": 100}}}
    }

Beside it in the build's folder: ``data.jsonl`` (the rows, columns of :mod:`axolotl_alttrain.rows` and ``assessor``),
``rejected.jsonl`` (``id``, ``source``, ``reason``, ``detail``, ``instruction``), ``overlaps.jsonl``
(``id``, ``source``, ``instruction``, ``set``, ``prompt_id``, ``prompt``, ``kind``, ``similarity``), ``duplicates.jsonl``
(``id``, ``source``, ``of``), ``assessments.jsonl`` (the store that a rerun resumes from).
"""

"""One check: ask both forms, compare what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console

from axolotl_alttrain import __version__
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.eval.look_up import load_prompts
from axolotl_alttrain.eval.results.manifest import versions
from axolotl_alttrain.eval.scoring.scored_row import ScoredRow
from axolotl_alttrain.eval.stats.intervals_and_tests import Rate, rate
from axolotl_alttrain.export_check.agreement import (
    Pair,
    compared_rates,
    exceeded,
    pairs_of,
    rows_of,
    same_judgements,
    same_verdicts,
)
from axolotl_alttrain.export_check.check_report import CheckReport, Form
from axolotl_alttrain.export_check.measure import Measured, measure, opened
from axolotl_alttrain.export_check.next_token import NextTokens, next_tokens
from axolotl_alttrain.export_check.options import CheckOptions
from axolotl_alttrain.export_check.probes import Probed, first_differences, gap, probes_of
from axolotl_alttrain.export_check.sides import Sides, sides_of


def check_export(options: CheckOptions, console: Console) -> CheckReport:
    """Compare the trained and the exported form of a model on the same prompts.

    The trained form is loaded a second time for its probabilities, so that two models are never in memory at once.

    Raises:
        AltTrainError: A form is unavailable, or no prompt was answered in both.
    """
    sides = sides_of(options)
    asked = load_prompts(sides.trained.config.prompts)
    with opened(sides.trained) as backend:
        trained = measure(sides.trained, backend, asked, console)
    with opened(sides.exported) as backend:
        exported = measure(sides.exported, backend, asked, console)
        pairs = pairs_of(trained, exported)
        if not pairs:
            reasons = " ".join([*trained.missing.values(), *exported.missing.values()])
            raise AltTrainError(f"no prompt was answered in both forms; {reasons or 'choose other prompts'}")
        probes = probes_of(pairs)
        theirs = next_tokens(backend, sides.exported.run, [p.position("exported") for p in probes], trained.tokenizer)
    ours = NextTokens(reason=theirs.reason)
    if not theirs.reason:
        with opened(sides.trained) as backend:
            ours = next_tokens(backend, sides.trained.run, [p.position("trained") for p in probes], trained.tokenizer)
    return report_of(options, sides, trained, exported, pairs, Probed(probes, ours, theirs))


def report_of(
    options: CheckOptions,
    sides: Sides,
    trained: Measured,
    exported: Measured,
    pairs: Sequence[Pair],
    probed: Probed,
) -> CheckReport:
    """The comparison of two forms that were asked."""
    first, second = rows_of(pairs)
    verdicts, judgements = same_verdicts(first, second), same_judgements(first, second)
    rates = compared_rates(first, second)
    same_prompt = _same_prompt(pairs)
    return CheckReport(
        version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        packages=versions(),
        trained=_form(trained),
        exported=_form(exported),
        sets=dict(Counter(pair.key[0] for pair in pairs)),
        missing={**trained.missing, **exported.missing},
        notes=[*sides.notes, *_notes(same_prompt), *cut_off(first, options.max_new_tokens)],
        max_new_tokens=options.max_new_tokens,
        margin=options.margin,
        same_prompt=same_prompt,
        greedy=rate([pair.difference is None for pair in pairs]),
        differences=first_differences(pairs, probed, trained.tokenizer),
        verdicts=verdicts,
        judgements=judgements,
        first_token=gap(probed, "first"),
        verdict_token=gap(probed, "verdict"),
        no_probabilities=probed.reason,
        rates=rates,
        exceeded=exceeded(rates, verdicts, judgements, options.margin),
    )


def _form(measured: Measured) -> Form:
    identity = measured.identity
    return Form(
        words=measured.side.words,
        model=identity.model,
        adapter=identity.adapter,
        template=identity.template,
        settings=measured.settings.as_dict(),
    )


def _same_prompt(pairs: Sequence[Pair]) -> Rate | None:
    if any(pair.exported.prompt is None for pair in pairs):
        return None
    return rate([pair.trained.prompt == pair.exported.prompt for pair in pairs])


def cut_off(rows: Sequence[ScoredRow], max_new_tokens: int) -> list[str]:
    """What is not compared because thoughts of the trained form were cut off."""
    number = sum(bool(row.truncated) for row in rows)
    if not number:
        return []
    return [
        f"{number} of {len(rows)} thoughts of the trained form were cut off at {max_new_tokens} tokens, so they have "
        "no answer to compare and perhaps no verdict; raise --max-new-tokens."
    ]


def _notes(same_prompt: Rate | None) -> list[str]:
    if same_prompt is None:
        return ["The server renders the prompts. Thought and answer are compared without the white space around them."]
    if same_prompt.value != 1:
        count = same_prompt.total - (same_prompt.count or 0)
        return [
            f"The exported form's chat template renders {count} of {same_prompt.total} prompts differently from the "
            "one that was trained."
        ]
    return []

"""``python -m eval.run import``: judge the transcripts of garak and PyRIT as if the evaluator had asked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from axolotl_alttrain.eval.backends.modes import InMode, Mode
from axolotl_alttrain.eval.backends.recorded import RecordedBackend
from axolotl_alttrain.eval.completions.samples import SampleFile
from axolotl_alttrain.eval.completions.transcripts import imported, read_transcripts
from axolotl_alttrain.eval.config.command_line import PROGRAM, add_flag
from axolotl_alttrain.eval.config.eval_config import EvalConfig
from axolotl_alttrain.eval.config.groups import FLAGS, JudgingConfig
from axolotl_alttrain.eval.evaluate import Answered, finish
from axolotl_alttrain.eval.judges import judges_from
from axolotl_alttrain.eval.results.summary import Summary
from axolotl_alttrain.eval.weights import weights_of

from axolotl_alttrain.errors import AltTrainError, exit_codes
from axolotl_alttrain.storage.locks import only_writer


def import_parser(program: str = f"{PROGRAM} import") -> argparse.ArgumentParser:
    """The command line of ``import``."""
    p = argparse.ArgumentParser(
        prog=program,
        usage=f"{program} FILE [FILE ...] [flags]",
        description="Judge the answers in garak's report.jsonl and PyRIT's exported JSON, and the thoughts separately. "
        f"The folder is like an evaluation's: '{program.removesuffix('import')}compare BASE TUNED' pairs two of them.",
        epilog=exit_codes("import"),
        argument_default=argparse.SUPPRESS,
    )
    p.add_argument("files", nargs="+", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    p.add_argument("--model", metavar="NAME", help="whose answers these are (required); for PyRIT, the served name")
    p.add_argument("--tokenizer", metavar="NAME", help="its chat template separates thoughts (default: by think tags)")
    p.add_argument("--weights", metavar="FORM", help="what was served, as in 'evaluate'; the results state it")
    for name in ("thought_format", *JudgingConfig.model_fields, "out"):
        add_flag(p, name, FLAGS[name])
    return p


def import_transcripts(argv: Sequence[str], program: str) -> Summary:
    """Judge transcripts and write the folder of an evaluation.

    Raises:
        AltTrainError: A flag or a file is wrong, or the transcripts hold no answer of the model.
    """
    given = vars(import_parser(program).parse_args(argv))
    files: list[Path] = given.pop("files")
    if "model" not in given:
        raise AltTrainError("--model is missing; give the name of the model whose answers these are")
    config, started = EvalConfig.from_flags({"backend": "api", **given}), datetime.now(UTC)
    transcripts = [one for path in files for one in read_transcripts(path)]
    judges, weights = judges_from(config.judging), weights_of(config)
    tools = ", ".join(sorted({one.tool for one in transcripts}))
    backend = RecordedBackend(weights.model, tools, config.backend.tokenizer, config.weights.thought_format)
    found = imported(transcripts, weights.model, backend.thought)
    lengths = backend.count_tokens([sample.completion for sample in found.samples])
    samples = [replace(one, tokens=length) for one, length in zip(found.samples, lengths, strict=True)]
    modes = [InMode(backend, Mode("on", backend.chat, backend.thought))]
    with only_writer(config.output.out):
        with SampleFile(config.output.out / "samples.jsonl") as file:
            for sample in samples:
                if sample.key not in file:
                    file.append(sample)
        return finish(config, weights, modes, Answered(found.prompts, samples, found.missing), judges, started)

"""Evaluate a model before and after AltTrain: ``python -m eval.run``.

Without arguments: the demo's base model and, if it has been trained, its adapter, on the three probe sets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from axolotl_alttrain.eval.flags import check_flags, positive, share, temperature

DEMO_ADAPTER = Path("outputs/smollm2-135m-cpu")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m eval.run",
        description="Evaluate safety, over-refusal and capability of a model, with and without its adapter.",
        epilog="python -m eval.run compare RUN [RUN ...] compares finished runs; "
        "python -m eval.run card RUN writes a model card. "
        "Without --model and --adapter: the demo's model and the adapter in outputs/smollm2-135m-cpu. "
        "Exit codes: 0; 1 on a mistake, which is named; 3 where a set or attack could not be had and the rest ran. "
        "A suite's HumanEval without --allow-code-execution is shown as missing, with 0.",
    )
    p.add_argument(
        "config", nargs="?", type=Path, metavar="CONFIG", help="YAML file with these flags; examples/eval-8b.yml"
    )
    p.add_argument("--model", help="folder or hub id of the base model (default: the adapter's base, or the demo's)")
    p.add_argument("--adapter", help="folder or hub id of the trained LoRA adapter; base and tuned are compared")
    p.add_argument("--model-revision", metavar="COMMIT", help="hf, vllm: of --model on the hub (default: main)")
    p.add_argument("--adapter-revision", metavar="COMMIT", help="hf, vllm: of --adapter on the hub (default: main)")
    p.add_argument("--list", action="store_true", help="show every set with its size, licence and judge, and end")
    p.add_argument("--pin", action="store_true", help="print newest commits for --revision (--sets, --suite), and end")

    what = p.add_argument_group("what is asked")
    what.add_argument("--suite", metavar="SUITE", help="sets for one purpose (default: probe); see --list")
    what.add_argument("--sets", nargs="+", metavar="SET", help="sets, beside or instead of a suite's")
    what.add_argument("--data-dir", type=Path, metavar="DIR", help="the publishers' files; else the hub is asked")
    what.add_argument("--revision", nargs="+", metavar="SET=COMMIT", help="hub commits instead of the pinned ones")
    what.add_argument(
        "--attacks", nargs="+", metavar="ATTACK", help="ask harmful prompts under each of these; see --list"
    )
    what.add_argument(
        "--limit", type=positive, metavar="N", help="prompts per set, spread evenly over it (default: all)"
    )
    what.add_argument(
        "--allow-code-execution",
        action="store_true",
        help="run the code that HumanEval's answers hold; without it a suite goes on without that set",
    )

    how = p.add_argument_group("how it is answered")
    how.add_argument("--max-new-tokens", type=positive, default=256, metavar="N", help="default: %(default)s")
    how.add_argument("--temperature", type=temperature, default=0.0, metavar="T", help="0, the default, is greedy")
    how.add_argument("--top-p", type=share, default=1.0, metavar="P", help="default: %(default)s")
    how.add_argument("--samples", type=positive, default=1, metavar="K", help="per prompt, with --temperature")
    how.add_argument("--seed", type=int, default=0, metavar="N", help="for sampling (default: %(default)s)")
    how.add_argument("--backend", default="hf", choices=("hf", "vllm", "api"), help="default: %(default)s")
    how.add_argument("--batch-size", type=positive, metavar="N", help="hf: most sequences (default: what fits)")
    how.add_argument("--batch-tokens", type=positive, default=131072, metavar="N", help="hf: most tokens in a batch")
    how.add_argument("--tensor-parallel", type=positive, default=1, metavar="N", help="vllm: GPUs per copy")
    how.add_argument("--data-parallel", type=positive, default=1, metavar="N", help="vllm: copies")
    how.add_argument("--base-url", metavar="URL", help="api: the server, up to and including /v1")
    how.add_argument("--tokenizer", metavar="NAME", help="api: render prompts here, with this tokenizer's template")
    how.add_argument("--api-concurrency", type=positive, default=16, metavar="N", help="api: requests at once")
    how.add_argument("--api-key-env", default="OPENAI_API_KEY", metavar="NAME", help="api: variable with the key")
    p.add_argument(
        "--load-in-4bit",
        action=argparse.BooleanOptionalAction,
        help="hf, vllm: load the base in NF4, or not (default: as the adapter was trained)",
    )
    p.add_argument(
        "--dtype", default="auto", choices=("auto", "float32", "bfloat16", "float16"), help="hf, vllm: of the weights"
    )
    p.add_argument("--thought-format", default="auto", choices=("auto", "s1"), help="s1: for simplescaling's s1 models")
    j = p.add_argument_group("judges")
    j.add_argument(
        "--judges",
        nargs="+",
        default=["refusal"],
        choices=("refusal", "guard", "rubric", "xstest"),
        help="the first makes the rates, of refusals the first that tells them; all are shown with their agreement "
        "(default: refusal, offline rules)",
    )
    j.add_argument("--guard-model", metavar="NAME", help="guard: folder or hub id")
    j.add_argument("--guard-template", type=Path, metavar="FILE", help="guard: Jinja, instead of its own chat template")
    j.add_argument(
        "--guard-template-args", metavar="JSON", help='guard: the template\'s variables, as \'{"guideline": "..."}\''
    )
    j.add_argument("--guard-load-in-4bit", action="store_true", help="guard: load it in NF4")
    j.add_argument(
        "--guard-safe", nargs="+", default=[], metavar="TEXT", help="guard: how it writes safe (default: learned)"
    )
    j.add_argument("--guard-unsafe", nargs="+", default=[], metavar="TEXT", help="guard: how it writes unsafe")
    j.add_argument("--judge-model", metavar="NAME", help="model of rubric and xstest, as its server names it")
    j.add_argument("--judge-url", metavar="URL", help="OpenAI-compatible server; its key stands in OPENAI_API_KEY")
    j.add_argument("--judge-concurrency", type=positive, default=8, metavar="N", help="default: %(default)s")
    j.add_argument(
        "--judge-max-tokens",
        type=positive,
        default=512,
        metavar="N",
        help="of a reply; judges that reason need more, a reply that is cut off is undetermined (default: %(default)s)",
    )
    j.add_argument(
        "--judge-thoughts", action=argparse.BooleanOptionalAction, default=True, help="judge thoughts too, on their own"
    )
    p.add_argument("--out", type=Path, default=Path("outputs/eval"), help="folder for results (default: %(default)s)")
    return p


def compare_parser() -> argparse.ArgumentParser:
    """The command line of ``compare``."""
    p = argparse.ArgumentParser(
        prog="python -m eval.run compare",
        description="Compare runs on the prompts they share: table, compare.html, compare.json, compare.md.",
        epilog="A base that several folders hold is shown once; checkpoint-N folders stand by their steps.",
    )
    p.add_argument("folders", nargs="+", type=Path, metavar="RUN", help="folder that the evaluator wrote (--out)")
    p.add_argument(
        "--ignore",
        nargs="+",
        default=[],
        metavar="SETTING",
        help="generation settings that may differ, for example load_in_4bit (default: none)",
    )
    p.add_argument("--reference", metavar="NAME", help="run that the others are compared with (default: the first)")
    p.add_argument(
        "--out", type=Path, default=Path("outputs/compare"), help="folder for results (default: %(default)s)"
    )
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the evaluation.

    Returns:
        0; 1 on a mistake that the message explains; 3 if a set, an attack or a completion was missing and the rest ran.
        What a suite leaves out because code may not be executed is reported as missing, and is no failure.
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    for name, command in (("compare", _compare), ("card", _card)):
        if argv[:1] == [name]:
            return _told(name, partial(command, argv[1:]))
    from axolotl_alttrain.eval.config import with_config

    from axolotl_alttrain.errors import AltTrainError

    try:
        flags = parser()
        args = with_config(flags, argv)
        if args.list:
            from axolotl_alttrain.eval.prompts.listing import print_listing

            print_listing()
            return 0
        if args.pin:
            from axolotl_alttrain.eval.prompts.pins import print_pins

            return print_pins(args.sets, args.suite)
        check_flags(args, flags)
        from axolotl_alttrain.eval.evaluate import evaluate  # after parsing: --help must not wait for torch

        if (
            args.backend != "api"
            and args.model is None
            and args.adapter is None
            and (DEMO_ADAPTER / "adapter_config.json").is_file()
        ):
            args.adapter = str(DEMO_ADAPTER)
        summary = evaluate(args)
    except AltTrainError as error:
        print(f"eval.run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("eval.run: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    if set(summary.missing) - set(summary.switched_off):
        print("eval.run: some of what was asked for is missing; see the last table", file=sys.stderr)
        return 3
    return 0


def _told(name: str, work: Callable[[], object]) -> int:
    """Run a subcommand; a mistake that the message explains is exit code 1."""
    from axolotl_alttrain.errors import AltTrainError

    try:
        work()
    except AltTrainError as error:
        print(f"eval.run {name}: {error}", file=sys.stderr)
        return 1
    return 0


def _compare(argv: Sequence[str]) -> None:
    args = compare_parser().parse_args(argv)  # before the import: --help must not wait for what it brings
    from axolotl_alttrain.eval.compare import compare

    compare(args)


def _card(argv: Sequence[str]) -> None:
    from axolotl_alttrain.eval.report.model_card_command import card

    card(argv)


if __name__ == "__main__":
    # Started as `eval.run` from a checkout: all modules are to be loaded under one name.
    from axolotl_alttrain.eval.run import main as main_of_the_package

    raise SystemExit(main_of_the_package())

"""Evaluate a model before and after AltTrain: ``python -m eval.run``.

Without arguments: the demo's base model and, if it has been trained, its adapter, on the three probe sets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

DEMO_ADAPTER = Path("outputs/smollm2-135m-cpu")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(
        prog="python -m eval.run",
        description="Evaluate safety, over-refusal and capability of a model, with and without its adapter.",
        epilog="python -m eval.run compare RUN [RUN ...] compares finished runs. "
        "Without --model and --adapter: the demo's model and the adapter in outputs/smollm2-135m-cpu.",
    )
    p.add_argument("--model", help="folder or hub id of the base model (default: the adapter's base, or the demo's)")
    p.add_argument("--adapter", help="folder or hub id of the trained LoRA adapter; base and tuned are compared")
    p.add_argument("--sets", nargs="+", metavar="SET", help="probe sets (default: all three)")
    p.add_argument("--limit", type=_positive, metavar="N", help="prompts per set, spread evenly over it (default: all)")
    p.add_argument("--max-new-tokens", type=_positive, default=256, metavar="N", help="default: %(default)s")
    p.add_argument("--batch-size", type=_positive, default=48, metavar="N", help="default: %(default)s")
    p.add_argument(
        "--load-in-4bit",
        action=argparse.BooleanOptionalAction,
        help="load the base in NF4, or not (default: as the adapter was trained)",
    )
    p.add_argument("--dtype", default="auto", choices=("auto", "float32", "bfloat16", "float16"))
    p.add_argument("--thought-format", default="auto", choices=("auto", "s1"), help="s1: for simplescaling's s1 models")
    j = p.add_argument_group("judges")
    j.add_argument(
        "--judges",
        nargs="+",
        default=["refusal"],
        choices=("refusal", "rubric", "xstest"),
        help="the first makes the rates, all are shown with their agreement (default: refusal, offline rules)",
    )
    j.add_argument("--judge-model", metavar="NAME", help="model of rubric and xstest, as its server names it")
    j.add_argument("--judge-url", metavar="URL", help="OpenAI-compatible server; its key stands in OPENAI_API_KEY")
    j.add_argument("--judge-concurrency", type=_positive, default=8, metavar="N", help="default: %(default)s")
    j.add_argument(
        "--judge-thoughts", action=argparse.BooleanOptionalAction, default=True, help="judge thoughts too, on their own"
    )
    p.add_argument("--out", type=Path, default=Path("outputs/eval"), help="folder for results (default: %(default)s)")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the evaluation; 0 on success, 1 on a mistake that the message explains."""
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv[:1] == ["compare"]:
        return _compare(argv[1:])
    args = parser().parse_args(argv)
    # After parsing: --help must not wait for torch.
    from axolotl_alttrain.errors import AltTrainError

    from .evaluate import evaluate

    try:
        if args.model is None and args.adapter is None and (DEMO_ADAPTER / "adapter_config.json").is_file():
            args.adapter = str(DEMO_ADAPTER)
        evaluate(args)
    except AltTrainError as error:
        print(f"eval.run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("eval.run: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    return 0


def _compare(argv: Sequence[str]) -> int:
    from axolotl_alttrain.errors import AltTrainError

    from .compare import compare
    from .compare import parser as compare_parser

    try:
        compare(compare_parser().parse_args(argv))
    except AltTrainError as error:
        print(f"eval.run compare: {error}", file=sys.stderr)
        return 1
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {text}; allowed: 1 or more")
    return value


if __name__ == "__main__":
    raise SystemExit(main())

"""A long evaluation: memory, silence of the log, size of the report, and how long a comparison of two such runs takes.

    python -m benchmarks.long_run                    # 100,000 prompts
    python -m benchmarks.long_run --prompts 10000
    python -m benchmarks.long_run --without-http     # answers come from a function: minutes less, the same otherwise

A server in a model's place answers at once with about 120 words (thought and answer), so what is measured is the
evaluator: half of the prompts are harmful, half benign. The first evaluation asks every prompt. The second run, for the
comparison, has the first one's completions under another model's name with every tenth answer changed. Each command is
a process of its own; its memory is the resident set that the kernel reports, sampled ten times a second, and its
silence the longest time in which its log did not grow. Writes benchmarks/results/long_run.json and .md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from axolotl_alttrain.storage.atomic import write_atomic
from benchmarks.command_shown import shown_command
from benchmarks.stand_in import said, stand_in

RESULTS = Path(__file__).parent / "results"
MIB = 1 << 20
WORDS = 60


def write_sets(folder: Path, prompts: int) -> None:
    """The files of two published sets, with made-up prompts of a typical length."""
    folder.mkdir()
    filler = "in a short text that is about as long as the prompts of the published sets are"
    for file, columns in (("strongreject_dataset.csv", "forbidden_prompt"), ("xstest_prompts.csv", "prompt")):
        with (folder / file).open("w", encoding="utf-8", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["id", columns, "category", "type", "label"])
            for number in range(prompts // 2):
                text = f"Request {number} of {file}: describe thing {number * 7919 % 10007} {filler}."
                rows.writerow([f"p{number}", text, f"c{number % 6}", f"c{number % 6}", "safe"])


def watched(command: Sequence[str], log: Path) -> dict[str, Any]:
    """Run a command into a log file.

    Returns:
        Seconds, peak resident set in MiB, and the longest silence of the log in seconds.
    """
    started = heard = time.monotonic()
    peak, silence, size = 0, 0.0, 0
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    while process.poll() is None:
        time.sleep(0.1)
        now = time.monotonic()
        if (length := log.stat().st_size) != size:
            heard, size = now, length
        silence = max(silence, now - heard)
        peak = max(peak, resident(process.pid))
    if process.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{log.read_text()[-2000:]}")
    return {"seconds": time.monotonic() - started, "peak_mib": peak // MIB, "longest_silence": silence}


def resident(process: int) -> int:
    """Bytes in memory of a process; 0 when it has just ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def second_run(first: Path, second: Path) -> None:
    """The folder of another model: every tenth answer is a refusal where it was none, and the reverse."""
    second.mkdir()
    for name in ("summary.json", "manifest.json"):
        write_atomic(second / name, (first / name).read_text(encoding="utf-8").replace('"stand-in', '"other'))
    with (first / "scored.jsonl").open(encoding="utf-8") as rows, (second / "scored.jsonl").open("w") as out:
        for number, line in enumerate(rows):
            row = json.loads(line)
            if number % 10 == 0:
                turned = "compliance" if row["judgement"] == "refusal" else "refusal"
                row["judgement"] = row["refusal"] = turned
                for metric, counts in (("harmful_response", "compliance"), ("over_refusal", "refusal")):
                    if metric in row["metrics"]:
                        row["metrics"][metric] = turned == counts
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def evaluate_without_http(argv: Sequence[str]) -> int:
    """The evaluator with a function in the client's place."""
    from axolotl_alttrain.eval.backends.api import APIBackend
    from axolotl_alttrain.eval.backends.base import Generated, OnResult, Request
    from axolotl_alttrain.eval.run import main

    def complete(
        self: APIBackend, run: str, requests: Sequence[Request], sampling: Any, on_result: OnResult, *_: Any
    ) -> None:
        for index, request in enumerate(requests):
            on_result(index, Generated(said({"messages": request.messages}, WORDS), "stop", WORDS))

    APIBackend.complete = complete  # type: ignore[assignment]
    return main(argv)


def measure(prompts: int, folder: Path, http: bool = True) -> dict[str, Any]:
    """Evaluate, and compare with another run."""
    write_sets(folder / "data", prompts)
    python, found = [sys.executable, "-m"], {}
    with stand_in(WORDS) as url:
        program = ["eval.run"] if http else ["benchmarks.long_run", "--evaluate"]
        command = [*python, *program, "--backend", "api", "--base-url", url, "--model", "stand-in"]
        command += ["--sets", "strongreject", "xstest-safe", "--data-dir", str(folder / "data")]
        command += ["--api-concurrency", "32", "--max-new-tokens", "512", "--out", str(folder / "first")]
        found["evaluation"] = watched(command, folder / "evaluation.log")
        print(found["evaluation"], flush=True)
    found["report_mb"] = (folder / "first" / "report.html").stat().st_size / 1e6
    found["samples_mb"] = (folder / "first" / "samples.jsonl").stat().st_size / 1e6
    second_run(folder / "first", folder / "second")
    compare = [*python, "eval.run", "compare", str(folder / "first"), str(folder / "second")]
    found["compare"] = watched([*compare, "--out", str(folder / "compare")], folder / "compare.log")
    found["compare_page_mb"] = (folder / "compare" / "compare.html").stat().st_size / 1e6
    return found


def table(prompts: int, found: dict[str, Any]) -> str:
    """The results as Markdown."""
    names = {"evaluation": "evaluation", "compare": "comparison of two such runs"}
    lines = [f"{prompts:,} prompts, {found['samples_mb']:.0f} MB of completions.", ""]
    lines += ["| command | seconds | peak memory, MiB | longest silence of the log, s |", "| --- | --- | --- | --- |"]
    for key, name in names.items():
        one = found[key]
        lines.append(f"| {name} | {one['seconds']:.0f} | {one['peak_mib']:,} | {one['longest_silence']:.0f} |")
    pages = f"report.html: {found['report_mb']:.1f} MB; compare.html: {found['compare_page_mb']:.1f} MB."
    return "\n".join([*lines, "", pages, ""])


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and write the results."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["--evaluate"]:
        raise SystemExit(evaluate_without_http(argv[1:]))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--prompts", type=int, default=100_000, help="(default: %(default)s)")
    p.add_argument("--without-http", action="store_true", help="a function in the server's place")
    p.add_argument("--folder", type=Path, help="keep everything here (default: a temporary folder)")
    p.add_argument("--results", type=Path, default=RESULTS, help="where the results go")
    args = p.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(args.prompts, args.folder or Path(scratch), not args.without_http)
    about = {"command": shown_command("long_run", argv), "date": datetime.now(UTC).date().isoformat()}
    write_atomic(
        args.results / "long_run.json", json.dumps({**about, "prompts": args.prompts, **found}, indent=2) + "\n"
    )
    text = table(args.prompts, found)
    write_atomic(args.results / "long_run.md", f"`{about['command']}`, {about['date']}:\n\n{text}")
    print(text)


if __name__ == "__main__":
    main()

"""``python -m eval.run card``: write and upload the model card's section of a finished run."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axolotl_alttrain.eval.results.finished import read_run_file
from axolotl_alttrain.eval.results.manifest_record import ManifestWithSets
from axolotl_alttrain.eval.results.summary import Summary, read_summary

from axolotl_alttrain.errors import AltTrainError, exit_codes
from axolotl_alttrain.storage.atomic import write_atomic
from axolotl_alttrain.storage.hub import check_repository, upload_errors
from axolotl_alttrain.storage.locks import only_writer

if TYPE_CHECKING:
    from huggingface_hub import RepoCard


PROGRAM = "python -m eval.run card"


def card_parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """The command line of ``card``."""
    p = argparse.ArgumentParser(
        prog=program,
        description="Write model-card.md and results.md of a finished run; --push uploads the results to the Hub.",
        epilog=exit_codes("card"),
    )
    p.add_argument("folder", type=Path, metavar="RUN", help="the folder of a finished evaluation (its --out)")
    p.add_argument(
        "--push",
        metavar="ORG/NAME",
        help="merge the results into the model card of this existing model on the Hub",
    )
    return p


def card(argv: Sequence[str], program: str = PROGRAM) -> None:
    """Write both files and, with ``--push``, upload.

    Args:
        argv: The arguments.
        program: The command as the user typed it.

    Raises:
        AltTrainError: The folder holds no finished run, the model's name is invalid, or the upload fails.
    """
    args = card_parser(program).parse_args(argv)
    if args.push is not None:
        check_repository(args.push)
    summary, revisions = read_run(args.folder)
    with only_writer(args.folder):
        for path in write_cards(args.folder, summary, revisions):
            print(f"written: {path}")
    if args.push:
        print(f"pushed: {push_card(summary, revisions, args.push)}")


def read_run(folder: Path) -> tuple[Summary, dict[str, str]]:
    """The summary of a finished run, and the revision of each of its sets.

    Raises:
        AltTrainError: A file is missing or broken.
    """
    return read_summary(folder), read_run_file(folder, "manifest.json", ManifestWithSets).sets


def write_cards(folder: Path, summary: Summary, revisions: Mapping[str, str]) -> list[Path]:
    """Write ``results.md`` and ``model-card.md``; return their paths."""
    from axolotl_alttrain.eval.report.card.model_card import model_card
    from axolotl_alttrain.eval.report.markdown import results

    texts = {"results.md": results(summary), "model-card.md": model_card(summary, revisions)}
    for name, text in texts.items():
        write_atomic(folder / name, text)
    return [folder / name for name in texts]


def push_card(summary: Summary, revisions: Mapping[str, str], repo: str, endpoint: str | None = None) -> str:
    """Merge results into the card of a model on the Hub; everything else in the card stays.

    Args:
        summary, revisions: As :func:`read_run` gives them.
        repo: ``ORG/NAME``.
        endpoint: The Hub's address; ``HF_ENDPOINT`` or the public one by default.

    Returns:
        The address of the commit.

    Raises:
        AltTrainError: The model does not exist, its card cannot be read, or the Hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi, RepoCard
    from huggingface_hub.errors import GatedRepoError, RemoteEntryNotFoundError, RepositoryNotFoundError

    api = HfApi(endpoint=endpoint)
    with upload_errors(repo, "log in with 'hf auth login', with a token that may write there"):
        try:
            head = api.model_info(repo).sha
        except GatedRepoError:
            raise
        except RepositoryNotFoundError:
            raise AltTrainError(
                f"cannot push to {repo}: the Hub shows no such model; create it with '{_upload(repo, summary)}', or "
                "log in with 'hf auth login' if it is private"
            ) from None
        try:
            path = api.hf_hub_download(repo, "README.md", revision=head)
            # newline="": a card's own line ends are kept.
            with Path(path).open(encoding="utf-8", newline="") as file:
                card = RepoCard(file.read())  # not ModelCard: it mixes results of one set and drops their sources
        except RemoteEntryNotFoundError:  # the model has no card; a failed download raises something else
            card = RepoCard("---\n{}\n---\n")
        merge(card, summary, revisions, repo)
        done = api.upload_file(
            path_or_fileobj=str(card).encode(),
            path_in_repo="README.md",
            repo_id=repo,
            parent_commit=head,  # the Hub refuses if the card has changed meanwhile
            commit_message="Safety evaluation by axolotl-alttrain",
        )
    return str(done)


def _upload(repo: str, summary: Summary) -> str:
    """The command that creates the model on the Hub with the adapter or the whole model in it."""
    folder = summary.tuned_name or summary.model
    return shlex.join(["hf", "upload", repo, folder if Path(folder).is_dir() else "FOLDER", "."])


def merge(card: RepoCard, summary: Summary, revisions: Mapping[str, str], repo: str) -> None:
    """Put the results of a run into a card: earlier results of ours for the same measurements are replaced.

    Ours are the results that name this evaluator in their args, and those on the embedded probes.

    Raises:
        AltTrainError: The card's ``model-index`` is invalid, or the card has only one of the section's two marks.
    """
    from axolotl_alttrain.eval.report.card.model_card import BEGIN, END, eval_results, section
    from huggingface_hub.repocard_data import eval_results_to_model_index

    new = eval_results_to_model_index(repo.rpartition("/")[2], eval_results(summary, revisions))
    measured = {_measurement(result, metric) for result in new[0]["results"] for metric in result["metrics"]}
    try:
        index = [_without(entry, measured) for entry in card.data.get("model-index") or ()]
    except (AttributeError, KeyError, TypeError, ValueError):
        page = "https://huggingface.co/docs/hub/model-cards"
        raise AltTrainError(
            f"the card of {repo}: its model-index cannot be read; correct it as {page} describes"
        ) from None
    if index:
        index[0]["results"] += new[0]["results"]
    card.data["model-index"] = index or new
    if summary.base_model and not card.data.get("base_model"):
        card.data["base_model"] = summary.base_model
    start, end = card.text.find(BEGIN), card.text.find(END)
    if (start < 0) != (end < 0) or end < start:
        raise AltTrainError(
            f"the card of {repo} has no matching pair of '{BEGIN}' and '{END}'; restore both or remove both"
        )
    if start < 0:
        card.text = f"{card.text.rstrip()}\n\n{section(summary)}"
    else:
        card.text = card.text[:start] + section(summary).rstrip() + card.text[end + len(END) :]


def _without(entry: dict[str, Any], measured: set[tuple[Any, ...]]) -> dict[str, Any]:
    """An entry of ``model-index`` without our own results of these measurements."""
    kept = []
    for result in entry.get("results") or ():
        metrics = [m for m in result["metrics"] if not _ours(result, m) or _measurement(result, m) not in measured]
        if len(metrics) == len(result["metrics"]):
            kept.append(result)
        elif metrics:
            kept.append({**result, "metrics": metrics})
    return {**entry, "results": kept}


def _ours(result: dict[str, Any], metric: dict[str, Any]) -> bool:
    from axolotl_alttrain.eval.report.card.model_card import EVALUATOR

    args = metric.get("args")
    marked = isinstance(args, dict) and args.get("evaluator") == EVALUATOR
    return marked or str(result["dataset"]["type"]).startswith(f"{EVALUATOR}/")


def _measurement(result: dict[str, Any], metric: dict[str, Any]) -> tuple[Any, ...]:
    """What is measured on which set, whatever its revision: a newer measurement replaces an older one."""
    dataset = result["dataset"]
    return result["task"]["type"], dataset["type"], dataset.get("config"), dataset.get("split"), metric["type"]

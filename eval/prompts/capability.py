"""Capability sets from lm-eval: its tasks, prompts, filters and scoring, applied to answers without their thoughts.

lm-eval scores everything that the model wrote. Here the thought is removed first and only the answer is scored; a
truncated thought is reported as such. lm-eval's generation settings do not suit thoughts and are not used: no stop
strings, no answer prefix, no limit of 256 tokens. The model's own template renders the prompts.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, cast

from axolotl_alttrain.eval.prompts.hub_files import archived_files, missing_error, resolve
from axolotl_alttrain.eval.prompts.local_files import files_digest
from axolotl_alttrain.eval.prompts.prompt import Kind, Prompt, spread
from axolotl_alttrain.eval.prompts.sets import SetSpec

from axolotl_alttrain.errors import AltTrainError, RowError, first_line
from axolotl_alttrain.format.rows import row_error

LM_TASKS = Path(__file__).parent / "lm_tasks"
LM_TASKS_VERSION = 2  # raise it whenever a task of lm_tasks/ may ask or score differently
_LOADERS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
SEED = 1234  # lm-eval shuffles GPQA's choices with Python's global generator; its own runs seed it with this


@lru_cache(maxsize=1)
def manager() -> Any:
    """lm-eval's index of tasks, including those of ``lm_tasks/``; creating it takes a few seconds."""
    from lm_eval.tasks import TaskManager

    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    return TaskManager(include_path=str(LM_TASKS))


def task_prompts(spec: SetSpec, limit: int | None, files: Sequence[Path], revision: str | None = None) -> list[Prompt]:
    """The prompts of a set that is an lm-eval task.

    Args:
        spec: The set.
        limit: Maximum number of prompts, spread evenly.
        files: Local files with the columns of the Hub dataset; without any, the Hub is used.
        revision: Commit on the Hub, instead of the pinned one.

    Raises:
        AltTrainError: The set is unavailable.
    """
    commit = files_digest(files) if files else resolve(spec, revision)
    if spec.by_file:
        tasks = [(load_task(spec, files=[path]), path.stem) for path in files or archived_files(spec, commit)]
    else:
        tasks = [(load_task(spec, commit, files), "")]
    parts = [(task, subject, list(task.eval_docs)) for task, subject in tasks]
    share = _share([len(documents) for _, _, documents in parts], limit)
    made: list[Prompt] = []
    for task, subject, documents in parts:
        if not documents:
            raise AltTrainError(
                f"{spec.name}: {_place(spec, files, subject)} has no rows; use the file of {spec.source}"
            )
        for number in spread(range(len(documents)), share):
            if missing := _missing_column(task, documents[number], documents[0]):
                error = RowError(missing, "is missing", "give it a value, as the first row does")
                raise row_error(error, documents[number], _place(spec, files, subject), number + 1)
            made.append(_prompt(spec, task, documents[number], f"{subject}{number:05d}", subject, commit))
    return spread(made, limit)


def load_task(spec: SetSpec, revision: str = "", files: Sequence[Path] = ()) -> Any:
    """An lm-eval task over the Hub dataset at a revision, or over local files.

    Raises:
        AltTrainError: lm-eval or the Hub cannot load it, or the files have other columns.
    """
    split = spec.hub.split
    overrides: dict[str, Any] = {"task": spec.task, "num_fewshot": 0}
    if files:
        loader = _LOADERS.get(files[0].suffix, "json")
        # lm-eval opens the split of few-shot examples even if it uses none.
        options: dict[str, Any] = {"data_files": {name: [str(path) for path in files] for name in (split, "train")}}
        if spec.by_file:
            options["keep_default_na"] = False  # the text "NULL" is a choice, not an empty cell
        overrides |= {"dataset_path": loader, "dataset_name": None, "dataset_kwargs": options}
    else:
        overrides |= {
            "dataset_path": spec.hub.id,
            "dataset_name": spec.hub.config,
            "dataset_kwargs": {"revision": revision},
        }
    from datasets import disable_progress_bars

    disable_progress_bars()
    state = random.getstate()
    random.seed(SEED)
    try:
        loaded = manager().load_task_or_group([overrides])
    except Exception as error:  # lm-eval and datasets pass on any error of Hub, network, parser or template
        if not files:
            raise missing_error(spec, error) from None
        raise AltTrainError(
            f"{files[0]}: lm-eval's task {spec.task} cannot read this file ({type(error).__name__}: "
            f"{first_line(error, 200)}); use the columns of {spec.hub.id}"
        ) from None
    finally:
        random.setstate(state)
    if not loaded:
        raise AltTrainError(f"{spec.name}: {_place(spec, files)} has no rows; use the file of {spec.source}")
    return next(iter(loaded.values()))


def _place(spec: SetSpec, files: Sequence[Path], subject: str = "") -> str:
    """The file of a row, or the Hub ID of the set."""
    return str(next((path for path in files if path.stem == subject), files[0])) if files else spec.hub.id


def _missing_column(task: Any, doc: Mapping[str, Any], first: Mapping[str, Any]) -> str | None:
    """A column that the task reads but that has no value; datasets fills missing columns with None."""

    def read(one: Mapping[str, Any]) -> Any:
        try:
            return task.doc_to_text(dict(one)), task.doc_to_target(dict(one))
        except Exception:  # templates and scripts raise any error if a value is missing
            return None

    empty = [name for name, value in doc.items() if value is None and first.get(name) is not None]
    return next((name for name in empty if read({**first, name: None}) != read(first)), None)


def scorer(task: Any, doc: Mapping[str, Any], context: str, metric: str) -> Callable[[str], dict[str, float]]:
    """lm-eval's own scoring of one answer to one document.

    Args:
        task: lm-eval's task object.
        doc: The document.
        context: Its prompt.
        metric: The main metric, as ``metric,filter``; it comes first in the result.
    """

    filters = _filters(task)

    def score(answer: str) -> dict[str, float]:
        made = task.construct_requests(doc=doc, ctx=context, metadata=(task.config.task, 0, 1))
        instance = made[0] if isinstance(made, list) else made
        instance.resps = [answer]
        found: dict[str, float] = {}
        for ensemble in filters:
            ensemble.apply([instance])
        for name, filtered in instance.filtered_resps.items():
            for key, value in task.process_results(doc, [filtered]).items():
                found[f"{key},{name}"] = float(value)
        if metric not in found:
            raise AltTrainError(
                f"{task.config.task} gives the metrics {', '.join(found)}, not {metric}; install a supported lm_eval"
            )
        return {metric: found[metric], **found}

    return score


def _filters(task: Any) -> list[Any]:
    """The filters that a task's config asks for; without any, lm-eval takes the first answer."""
    from lm_eval.filters import build_filter_ensemble

    wanted = task.config.filter_list or [{"name": "none", "filter": [{"function": "take_first"}]}]
    return [
        build_filter_ensemble(
            one["name"],
            [(step["function"], {k: v for k, v in step.items() if k != "function"}) for step in one["filter"]],
        )
        for one in wanted
    ]


def _prompt(spec: SetSpec, task: Any, doc: Mapping[str, Any], name: str, subject: str, revision: str) -> Prompt:
    context = str(task.fewshot_context(doc, num_fewshot=0))
    return Prompt(
        set=spec.name,
        kind=cast(Kind, spec.kind),
        id=name,
        instruction=context,
        category=subject or spec.name,
        source_id=name,
        judges=(),
        revision=revision,
        scorer=scorer(task, doc, context, spec.metric),
    )


def _share(sizes: Sequence[int], limit: int | None) -> int | None:
    """How many prompts of each subject give at least ``limit`` in total, if there are that many."""
    wanted = min(limit or 0, sum(sizes))
    return limit and next(share for share in count(1) if sum(min(share, size) for size in sizes) >= wanted)

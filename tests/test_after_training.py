from __future__ import annotations

import pytest

from axolotl_alttrain import AltTrainPlugin
from axolotl_alttrain import after_training as evaluation
from axolotl_alttrain.args import AltTrainArgs
from axolotl_alttrain.errors import AltTrainError


def test_the_command_names_what_was_trained() -> None:
    assert evaluation.command({"output_dir": "out", "adapter": "qlora"}, "probe") == [
        "--adapter", "out", "--suite", "probe", "--out", "out/eval",
    ]  # fmt: skip
    assert evaluation.command({"output_dir": "out"}, "safety", "s1") == [
        "--model", "out", "--suite", "safety", "--thought-format", "s1", "--out", "out/eval",
    ]  # fmt: skip


def test_a_failed_evaluation_says_how_to_run_it_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(evaluation.LOG, "error", lambda text, *args: said.append(text % args))
    assert not evaluation.evaluate_trained(["--adapter", "my out", "--no-such-flag"])
    assert said == [
        "the evaluation failed with exit code 2; the trained model is saved. To evaluate it again, run: "
        "python -m axolotl_alttrain.eval.run --adapter 'my out' --no-such-flag"
    ]


def test_a_format_that_the_evaluator_does_not_take_is_said_before_training() -> None:
    texts = {"open": "<reason>", "close": "</reason>"}
    options = {"evaluate": "probe", "thought_format": texts}
    assert AltTrainArgs.model_validate({"alttrain": options})
    with pytest.raises(AltTrainError, match="remove 'evaluate'"):
        AltTrainPlugin().register({"datasets": [{"path": "alttrain-seed", "type": "alttrain"}], "alttrain": options})


def test_nothing_is_evaluated_after_an_error_or_on_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(evaluation, "evaluate_trained", started.append)
    plugin, cfg = AltTrainPlugin(), {"output_dir": "out", "alttrain": {"evaluate": "probe"}}
    try:
        raise RuntimeError
    except RuntimeError:
        plugin.post_train_unload(cfg)
    monkeypatch.setenv("RANK", "1")
    plugin.post_train_unload(cfg)
    assert started == []
    monkeypatch.delenv("RANK")
    plugin.post_train_unload({"output_dir": "out"})
    assert started == []
    plugin.post_train_unload(cfg)
    assert started == [["--model", "out", "--suite", "probe", "--out", "out/eval"]]

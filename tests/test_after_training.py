from __future__ import annotations

from pathlib import Path

import pytest
from axolotl_alttrain.eval.config.command_line import parse

from axolotl_alttrain import AltTrainPlugin
from axolotl_alttrain import after_training as evaluation
from axolotl_alttrain.args import AltTrainArgs
from axolotl_alttrain.format.example import ThoughtFormat
from axolotl_alttrain.format.template import fixed_format
from axolotl_alttrain.generation.demo_model import HUB_MODEL, model_folder
from axolotl_alttrain.storage.builtin import example_file


def test_the_command_names_what_was_trained() -> None:
    assert evaluation.command({"output_dir": "out", "adapter": "qlora"}, "probe") == [
        "--adapter", "out", "--weights", "as-trained", "--suite", "probe", "--out", "out/eval",
    ]  # fmt: skip
    assert evaluation.command({"output_dir": "out"}, "safety", "s1") == [
        "--model", "out", "--suite", "safety", "--thought-format", "s1", "--out", "out/eval",
    ]  # fmt: skip


def test_cards_name_base_and_data_as_the_config_did(tmp_path: Path) -> None:
    base, seed = str(model_folder()), str(example_file("data/alttrain-seed.jsonl"))
    card = """---
tags:
- base_model:adapter:{base}
datasets:
- {seed}
- {own}
base_model: {base}
---
This model is a fine-tuned version of [{base}](https://huggingface.co/{base}) on the {seed} and {own} datasets.
"""
    own = str(tmp_path / "mine.jsonl")
    cards = [tmp_path / "README.md", tmp_path / "checkpoint-8" / "README.md"]
    cards[1].parent.mkdir()
    for path in cards:
        path.write_text(card.format(base=base, seed=seed, own=own))
    data = [{"path": path, "type": "alttrain:1f"} for path in (seed, own)]
    plugin = AltTrainPlugin()
    plugin.post_train({"base_model": base, "datasets": [], "output_dir": str(tmp_path)}, None)
    assert base in cards[0].read_text()  # not a config of ours
    for _ in range(2):  # as Axolotl calls it
        plugin.post_train({"base_model": base, "datasets": data, "output_dir": str(tmp_path)}, None)
    wanted = card.format(base=HUB_MODEL, seed="alttrain-seed", own=own)
    assert [path.read_text() for path in cards] == [wanted, wanted]


def test_a_failed_evaluation_says_how_to_run_it_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(evaluation.LOG, "error", lambda text, *args, **_: said.append(text % args))
    assert not evaluation.evaluate_trained(["--adapter", "my out", "--no-such-flag"])
    assert said == [
        "the evaluation failed with exit code 2; the trained model is saved. To evaluate it again, run: "
        "python -m axolotl_alttrain.eval.run --adapter 'my out' --no-such-flag"
    ]


def test_the_two_texts_of_a_thought_reach_the_evaluator() -> None:
    texts = {"open": "<reason>\n", "close": "</reason>"}
    options = AltTrainArgs.model_validate({"alttrain": {"evaluate": "probe", "thought_format": texts}}).alttrain
    assert options
    command = evaluation.command({"output_dir": "out"}, "probe", options.thought_format)
    given = parse([*command, "--model", "out"]).weights.thought_format
    assert given == '{"open": "<reason>\\n", "close": "</reason>"}'
    assert fixed_format(given) == ThoughtFormat("<reason>\n", "</reason>")


def test_the_closing_line_says_how_to_serve_what_was_measured() -> None:
    assert evaluation.serving({"output_dir": "my out", "adapter": "qlora", "load_in_4bit": True}) == (
        "measured as trained: the adapter on its quantised base. On the unquantised base, as after a plain merge or a "
        "LoRA request, it can behave differently. To serve what was measured, run: axolotl alttrain export 'my out' "
        "--to 'my out-exported'; to measure the exported model, run: python -m axolotl_alttrain.eval.run --weights "
        "'my out-exported'"
    )
    assert evaluation.serving({"output_dir": "out", "adapter": "lora"}) == (
        "measured as trained: serve the adapter on its base, or as one folder that this command makes: axolotl "
        "alttrain export out --to out-exported"
    )
    assert evaluation.serving({"output_dir": "out"}) is None


def test_the_closing_line_follows_only_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(evaluation.LOG, "info", lambda text, *args, **_: said.append(text % args))
    assert evaluation.evaluate_trained(["--list"], "serve it so")
    assert said[1:] == ["serve it so"]
    assert not evaluation.evaluate_trained(["--no-such-flag"], "serve it so")
    assert len(said) == 3


def test_nothing_is_evaluated_after_an_error_or_on_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(evaluation, "evaluate_trained", lambda arguments, closing: started.append(arguments))
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

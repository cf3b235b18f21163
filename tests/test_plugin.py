from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

import axolotl_alttrain
from axolotl_alttrain.args import AltTrainArgs
from axolotl_alttrain.errors import AltTrainError, RowError

from .conftest import HARMFUL_ROW, SEED

PLUGIN = "axolotl_alttrain.AltTrainPlugin"


def config(**changes: Any) -> dict[str, Any]:
    return {"base_model": "m", "datasets": [{"path": "alttrain-seed", "type": "alttrain"}]} | changes


def test_register_makes_the_type_resolve_and_finds_the_seed_data() -> None:
    from axolotl.prompt_strategies import load

    cfg = config()
    axolotl_alttrain.AltTrainPlugin().register(cfg)
    assert Path(cfg["datasets"][0]["path"]).samefile(SEED)
    assert (
        import_module("axolotl.prompt_strategies.alttrain").load.__module__
        == "axolotl_alttrain.prompt_strategies.alttrain"
    )
    with pytest.raises(AltTrainError, match="no chat template"):
        load("alttrain", type("T", (), {"chat_template": None})(), {}, {"path": "x"})


def test_both_types_resolve_in_one_config(smollm2: Any) -> None:
    from axolotl.prompt_strategies import load

    cfg = config(base_model=smollm2.name_or_path)
    cfg["datasets"].append({"path": "alttrain-reasoning", "type": "alttrain.reasoning"})
    axolotl_alttrain.AltTrainPlugin().register(cfg)
    types = [entry["type"] for entry in cfg["datasets"]]
    assert [kind.partition(":")[0] for kind in types] == ["alttrain", "alttrain.reasoning"]
    assert types[0].partition(":")[2] != types[1].partition(":")[2]
    strategies = [load(kind, smollm2, cfg, entry) for kind, entry in zip(types, cfg["datasets"], strict=True)]
    assert [strategy.renderer is not None for strategy in strategies] == [False, True]


def test_a_local_file_of_the_same_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alttrain-seed").write_text("")
    cfg = config()
    axolotl_alttrain.AltTrainPlugin().register(cfg)
    assert cfg["datasets"][0]["path"] == "alttrain-seed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_on_inputs": True}, "train_on_inputs"),
        ({"datasets": [{"path": "x", "type": "chat_template"}], "plugins": [PLUGIN]}, "type: alttrain"),
        ({"datasets": None, "plugins": [PLUGIN]}, "type: alttrain"),
        ({"datasets": [{"path": "x", "type": "alttrain", "train_on_eos": "all"}]}, "datasets: x: 'train_on_eos'"),
        ({"default_system_message": "Be kind."}, "default_system_message has no effect"),
        ({"datasets": None, "alttrain": {"probe_every": 8}}, "type: alttrain"),
    ],
)
def test_mistakes_are_said_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AltTrainError, match=message) as caught:
        axolotl_alttrain.AltTrainPlugin().register(config(**changes))
    assert "\n" not in str(caught.value)


def test_remote_code_without_need_is_warned_about(demo_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from axolotl_alttrain import plugin

    said: list[str] = []
    monkeypatch.setattr(plugin.LOG, "warning", lambda text, *args: said.append(text % args))
    plugin.check_config(config(base_model=str(demo_model), trust_remote_code=True))
    assert len(said) == 1
    assert "set 'trust_remote_code: false'" in said[0]
    plugin.check_config(config(base_model="no/such-model", trust_remote_code=True))
    assert len(said) == 1


def test_unknown_options_are_refused() -> None:
    assert AltTrainArgs(alttrain={"thought_format": "s1"}).alttrain.thought_format == "s1"  # type: ignore
    for wrong in ({"thoughtformat": "s1"}, {"thought_format": "s2"}, {"probe_every": 0}, {"evaluate": "everything"}):
        with pytest.raises(ValidationError):
            AltTrainArgs(alttrain=wrong)  # type: ignore


def test_row_errors_survive_worker_processes() -> None:
    import pickle

    error = RowError("answer", "nothing", "a text", "f.jsonl, row 3")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_the_core_imports_neither_torch_nor_axolotl() -> None:
    code = (
        "import sys, axolotl_alttrain.format.template, axolotl_alttrain.format.rows, axolotl_alttrain.demo;"
        "import axolotl_alttrain.storage.builtin, axolotl_alttrain.args;"
        "print([m for m in ('torch', 'axolotl', 'transformers', 'datasets') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_seed_holds_for_the_adapters_first_weights() -> None:
    import torch
    from axolotl.utils.dict import DictDefault

    from axolotl_alttrain.plugin import AltTrainPlugin

    def drawn(seed: int) -> torch.Tensor:
        AltTrainPlugin().pre_model_load(DictDefault(config(seed=seed)))
        return torch.rand(4)

    assert torch.equal(drawn(7), drawn(7))
    assert not torch.equal(drawn(7), drawn(8))


def trainer_of(tokenizer: Any, **changes: Any) -> SimpleNamespace:
    """What the hook reads of a trainer, after the hook has run for a config with these changes."""
    plugin = axolotl_alttrain.AltTrainPlugin()
    cfg = config(base_model=tokenizer.name_or_path, sequence_len=512, **changes)
    plugin.register(cfg)
    trainer = SimpleNamespace(processing_class=tokenizer, compute_loss_func=None)
    plugin.post_trainer_create(cfg, trainer)
    return trainer


def test_verdict_weight_changes_the_loss(smollm2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from axolotl_alttrain import plugin
    from axolotl_alttrain.format.rows import read_examples
    from axolotl_alttrain.format.template import learn_format
    from axolotl_alttrain.format.verdict_words import learn_wording
    from axolotl_alttrain.verdict_loss import VerdictLoss

    said: list[str] = []
    monkeypatch.setattr(plugin.LOG, "info", lambda text, *args: said.append(text % args))
    wording = learn_wording(read_examples(SEED), learn_format(smollm2))
    assert wording is not None
    trainer = trainer_of(smollm2, alttrain={"verdict_weight": 8})
    assert trainer.compute_loss_func == VerdictLoss(wording, 8.0)
    assert said[-1].startswith(
        "verdict words count 8 times, as learned from alttrain-seed.jsonl: This is: harmful / harmless; "
    )
    assert trainer_of(smollm2).compute_loss_func is None
    assert trainer_of(smollm2, alttrain={"verdict_weight": 1}).compute_loss_func is None
    unrelated = SimpleNamespace(compute_loss_func=None)
    axolotl_alttrain.AltTrainPlugin().post_trainer_create({"datasets": [{"path": "x", "type": "alpaca"}]}, unrelated)
    assert unrelated.compute_loss_func is None


def test_verdict_weight_needs_rows_that_share_words(smollm2: Any, tmp_path: Path) -> None:
    free = {
        "harmful": ["It would hurt people.", "A crime like that is wrong.", "People could die."],
        "benign": ["A recipe hurts nobody.", "Gardens are nice.", "Everybody may know that."],
    }
    rows = [
        HARMFUL_ROW | {"label": label, "harmfulness_assessment": text} for label, some in free.items() for text in some
    ]
    path = tmp_path / "free.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(AltTrainError) as caught:
        trainer_of(smollm2, datasets=[{"path": str(path), "type": "alttrain"}], alttrain={"verdict_weight": 2.5})
    assert str(caught.value) == (
        "verdict_weight is 2.5, but the assessments of free.jsonl share no words that state the verdict; remove "
        "verdict_weight"
    )


def test_a_verdict_cannot_count_less_than_other_tokens() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        AltTrainArgs(alttrain={"verdict_weight": 0.5})  # type: ignore


def test_transformers_learns_that_there_is_no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    plugin = axolotl_alttrain.AltTrainPlugin()
    unrelated = {"datasets": [{"path": "x", "type": "alpaca"}]}
    for available, expected in ((False, {"use_cpu": True}), (True, None)):
        monkeypatch.setattr(torch.accelerator, "is_available", lambda available=available: available)
        assert plugin.get_training_args(config()) == expected
        assert plugin.get_training_args(unrelated) is None


@pytest.mark.parametrize("content", [None, '{"a": ' + "[" * 300 + "]" * 300 + "}\n"])
def test_what_only_datasets_finds_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    """An empty folder, and a row nested more deeply than Arrow takes."""
    from datasets import load_dataset

    from axolotl_alttrain.errors import print_mistakes_in_one_line

    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    print_mistakes_in_one_line()
    if content is not None:
        (tmp_path / "rows.jsonl").write_text(content)
    with pytest.raises(Exception, match=r".") as found:
        load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    capsys.readouterr()
    sys.excepthook(found.type, found.value, found.tb)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("axolotl-alttrain: datasets: the rows cannot be loaded (")
    assert line.endswith("); correct the files under 'path:'")

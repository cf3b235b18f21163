"""Models, adapters, templates and configs that somebody else made: none of them runs code."""

from __future__ import annotations

import ast
import io
import json
import pickle
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from axolotl_alttrain.errors import AltTrainError, TemplateError
from axolotl_alttrain.format.template import learn_format
from axolotl_alttrain.generation.loading import ModelSpec, find_model, load_model, load_tokenizer
from axolotl_alttrain.storage.yaml_file import read_mapping
from tests.conftest import ROOT

Make = Callable[[Path], str]
SOURCES = [path for name in ("axolotl_alttrain", "eval", "prompt_strategies") for path in (ROOT / name).rglob("*.py")]


class Opened:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """A file that is there once code has run."""
    return tmp_path / "ran"


@pytest.mark.promise("security", "Weights are read from safetensors only; pickled ones are refused, and not opened.")
@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "weights.pth"])
def test_a_pickled_model(name: str, tiny: tuple[Path, Path], tmp_path: Path, ran: Path) -> None:
    base = shutil.copytree(tiny[0], tmp_path / "base", ignore=shutil.ignore_patterns("*.safetensors"))
    (base / name).write_bytes(pickle.dumps(Opened(ran)))
    for load in (find_model, load_model):
        with pytest.raises(AltTrainError) as caught:
            load(ModelSpec(str(base), None))
        assert str(caught.value) == (
            f"{base / name}: pickled weights can run code and are not loaded; save the model or adapter again with "
            "save_pretrained, which writes safetensors"
        )
    assert not ran.exists()


@pytest.mark.promise("security", "Weights are read from safetensors only; pickled ones are refused, and not opened.")
@pytest.mark.parametrize("name", ["adapter_model.bin", "adapter_model.pt"])
def test_a_pickled_adapter(name: str, tiny: tuple[Path, Path], tmp_path: Path, ran: Path) -> None:
    adapter = shutil.copytree(tiny[1], tmp_path / "adapter", ignore=shutil.ignore_patterns("*.safetensors"))
    (adapter / name).write_bytes(pickle.dumps(Opened(ran)))
    with pytest.raises(AltTrainError, match=rf"{name}: pickled weights can run code and are not loaded"):
        load_model(ModelSpec(str(tiny[0]), str(adapter)))
    assert not ran.exists()


@pytest.mark.promise("security", "Weights are read from safetensors only; pickled ones are refused, and not opened.")
def test_safetensors_win_over_a_pickle_beside_them(tiny: tuple[Path, Path], tmp_path: Path, ran: Path) -> None:
    base, adapter = (shutil.copytree(folder, tmp_path / folder.name) for folder in tiny)
    (base / "pytorch_model.bin").write_bytes(pickle.dumps(Opened(ran)))
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Opened(ran)))
    torch.save({"optimizer": 1}, adapter / "optimizer.pt")  # as a checkpoint has it
    load_model(ModelSpec(str(base), str(adapter)))
    assert not ran.exists()


def with_code(folder: Path, file: str, auto_map: dict[str, Any], ran: Path, **config: Any) -> None:
    """Make a folder's config name classes of a module in it, which writes a file when it is imported."""
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": auto_map} | config))
    (folder / "custom.py").write_text(f"open({str(ran)!r}, 'w')\nclass Config: ...\nclass Model: ...\nclass Tok: ...\n")


@pytest.mark.promise("security", "Code beside a model never runs, and nobody is asked whether it may.")
@pytest.mark.parametrize("kind", ["model", "tokenizer", "unknown architecture"])
def test_code_in_a_model_folder(
    kind: str, tiny: tuple[Path, Path], tmp_path: Path, ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = shutil.copytree(tiny[0], tmp_path / "base")
    classes = {"AutoConfig": "custom.Config", "AutoModelForCausalLM": "custom.Model"}
    if kind == "tokenizer":
        with_code(base, "tokenizer_config.json", {"AutoTokenizer": ["custom.Tok", None]}, ran, tokenizer_class="Tok")
    else:
        with_code(base, "config.json", classes, ran, **({} if kind == "model" else {"model_type": "custom"}))
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))  # yes to every question
    with suppress(AltTrainError):  # transformers has classes of its own for some of these
        load_model(ModelSpec(str(base), None))
    assert not ran.exists()


# Where Jinja's plain environment would give a template the interpreter, write a file, or change what it was given.
TEMPLATES = {
    "globals": "{{ cycler.__init__.__globals__.os.system('touch RAN') }}",
    "subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attr filter": "{{ ''|attr('__class__')|attr('__mro__') }}",
    "function globals": "{{ raise_exception.__globals__['__builtins__']['open']('RAN', 'w') }}",
    "format string": "{{ '{0.__class__.__init__.__globals__}'.format(messages) }}",
    "format_map": "{{ '{a.__class__.__base__}'.format_map({'a': messages}) }}",
    "namespace": "{{ namespace.__init__.__globals__['sys'].modules['os'].system('touch RAN') }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('touch RAN').read() }}",
    "self": "{{ self.__init__.__globals__.__builtins__.open('RAN', 'w') }}",
    "joiner": "{{ joiner.__init__.__globals__.os.system('touch RAN') }}",
    "append": "{{ messages.append({'role': 'user', 'content': 'x'}) }}",
    "clear": "{{ messages[0].clear() }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}{{ os.system('touch RAN') }}",
    "map attribute": "{{ [messages]|map(attribute='__class__.__init__.__globals__')|list }}",
    "call block": "{% set f = messages.__class__.__init__.__globals__ %}{{ f }}",
}


@pytest.mark.promise("security", "A chat template runs in Jinja's immutable sandbox.")
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_that_reaches_out(name: str, tiny: tuple[Path, Path], ran: Path) -> None:
    """It raises, or renders nothing of the interpreter; and never the rows that it got are changed."""
    tokenizer = load_tokenizer(str(tiny[0]), "tokenizer")
    tokenizer.chat_template = TEMPLATES[name].replace("RAN", str(ran)) + tokenizer.chat_template
    messages = [{"role": "user", "content": "Hi"}]
    try:
        chat = learn_format(tokenizer)
        text = chat.prompt(messages)
    except TemplateError:
        text = ""
    assert not ran.exists()
    assert not any(word in text for word in ("__builtins__", "<class", "root:", "wrapper_descriptor"))
    assert messages == [{"role": "user", "content": "Hi"}]


@pytest.mark.promise("security", "YAML is read with the safe loader: tags that make objects are refused.")
@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['touch RAN']",
        "a: !!python/object/new:os.system ['touch RAN']",
        "a: !!python/name:os.system",
        "a: !!python/module:os",
        "!!python/object/apply:builtins.open ['RAN', 'w']",
    ],
)
def test_yaml_that_makes_objects(text: str, tmp_path: Path, ran: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text(text.replace("RAN", str(ran)))
    with pytest.raises(AltTrainError, match=r"config\.yml: the file cannot be read as YAML \(could not determine"):
        read_mapping(path, "keys")
    assert not ran.exists()


def calls(path: Path) -> set[str]:
    """What a source file calls, as written, and the keyword arguments that allow code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
            found |= {ast.unparse(word) for word in node.keywords if word.arg in ("trust_remote_code", "shell")}
    return found


@pytest.mark.promise("security", "No source of the package unpickles, evaluates text, or loads YAML unsafely.")
def test_no_source_can_run_what_it_reads(record_property: Callable[[str, object], None]) -> None:
    record_property("inputs", f"{len(SOURCES)} source files")
    forbidden = {
        *("eval", "exec", "compile", "torch.load", "pickle.load", "pickle.loads", "joblib.load", "os.system"),
        *("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "jinja2.Template"),
        *("trust_remote_code=True", "shell=True", "marshal.loads", "shelve.open", "dill.load"),
    }
    found = {path.relative_to(ROOT).as_posix(): sorted(calls(path) & forbidden) for path in SOURCES}
    assert {path: names for path, names in found.items() if names} == {}


def test_every_model_is_loaded_without_remote_code() -> None:
    """By default transformers asks on the terminal, and a pipe of ``y`` would answer."""
    loads = ("from_pretrained", "from_config")
    asking = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in loads:
                said = {word.arg for word in node.keywords} & {"trust_remote_code", "gguf_file"}
                name = ast.unparse(node.func.value)
                if name.startswith("Auto") and name != "AutoHfQuantizer" and not said:
                    asking.append(f"{path.relative_to(ROOT).as_posix()}:{node.lineno}")
    assert asking == []

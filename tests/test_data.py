"""The seed data: schema, balance, duplicates, lengths, and no overlap with any evaluation prompt."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from axolotl_alttrain.eval.judges.refusal import judge_refusal
from axolotl_alttrain.eval.prompts.probes import PROBE_SETS, load_sets
from datasketch import MinHash, MinHashLSH

from axolotl_alttrain.data.screening.evaluation_prompts import evaluation_prompts
from axolotl_alttrain.data.screening.overlap import EvaluationOverlap
from axolotl_alttrain.format.example import LABELS, AltTrainExample
from axolotl_alttrain.format.parsed_completion import parse_completion
from axolotl_alttrain.format.rows import read_examples
from axolotl_alttrain.format.verdict.reader import read_verdict
from axolotl_alttrain.storage.jsonl import read_jsonl

from .conftest import PROBES, SEED

FIRST_EDITION = SEED.with_name("alttrain-seed-1k.jsonl")
EXAMPLES = read_examples(SEED)
PROBE_PROMPTS = load_sets(PROBE_SETS)
LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "vi", "zh"]
NEAR = 0.6  # estimated Jaccard similarity of word pairs


def words(text: str) -> list[str]:
    # Chinese and Japanese have no spaces: each sign counts as a word.
    return re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]|\w+", text.lower())


def asked(example: AltTrainExample) -> str:
    return " ".join(str(message["content"]) for message in example.messages)


def ngrams(text: str, n: int) -> set[tuple[str, ...]]:
    tokens = words(text)
    return {tuple(tokens[i : i + n]) for i in range(max(1, len(tokens) - n + 1))}


def minhash(text: str) -> MinHash:
    hashed = MinHash(num_perm=256, seed=1)
    for gram in ngrams(text, 2):
        hashed.update(" ".join(gram).encode())
    return hashed


def lsh(texts: Iterable[tuple[str, str]]) -> MinHashLSH:
    index = MinHashLSH(threshold=NEAR, num_perm=256)
    for name, text in texts:
        index.insert(name, minhash(text))
    return index


def test_schema_and_balance() -> None:
    assert len(EXAMPLES) >= 3000
    label = Counter(e.label for e in EXAMPLES)
    assert 0.4 <= label["harmful"] / len(EXAMPLES) <= 0.5
    harmful = Counter(e.category for e in EXAMPLES if e.label == "harmful")
    assert len(harmful) >= 30
    assert max(harmful.values()) < 0.15 * label["harmful"]
    lookalikes = [e for e in EXAMPLES if e.label == "benign" and str(e.category).startswith("lookalike_")]
    assert len(lookalikes) >= label["benign"] / 2
    languages = Counter(e.language for e in EXAMPLES)
    assert sorted(language for language, rows in languages.items() if rows >= 20) == LANGUAGES
    assert sum(not isinstance(e.instruction, str) for e in EXAMPLES) >= 100
    assert len({e.id for e in EXAMPLES}) == len(EXAMPLES)
    assert all(e.id and e.category and e.source and e.language for e in EXAMPLES)


def test_twins_share_words_and_have_both_labels() -> None:
    twins: dict[str, list[dict[str, Any]]] = {}
    for _, row in read_jsonl(SEED):
        if "twin" in row:
            twins.setdefault(row["twin"], []).append(row)
    pairs = [rows for rows in twins.values() if {row["label"] for row in rows} == {"harmful", "benign"}]
    assert len(pairs) >= 800
    shared = [_shared_words(*rows[:2]) for rows in pairs if all(row["language"] == "en" for row in rows[:2])]
    assert mean(shared) >= 0.35  # of all words of both; unrelated requests share about 0.1


def _shared_words(one: dict[str, Any], other: dict[str, Any]) -> float:
    first, second = (set(words(str(row["instruction"]))) for row in (one, other))
    return len(first & second) / len(first | second)


def test_words_do_not_give_the_label_away() -> None:
    # Verbs of harm under both labels: the act and its target decide, not the word.
    seen = {label: Counter(w for e in EXAMPLES if e.label == label for w in set(words(asked(e)))) for label in LABELS}
    for word in ("kill", "shoot", "burn", "steal", "poison", "bomb", "fake", "crack", "attack", "gun", "rob"):
        assert min(seen["harmful"][word], seen["benign"][word]) >= 5, word
        assert 1 / 5 <= seen["harmful"][word] / seen["benign"][word] <= 5, word


def test_the_first_edition_is_a_subset() -> None:
    rows = {row["id"]: row for _, row in read_jsonl(SEED)}
    first = [row for _, row in read_jsonl(FIRST_EDITION)]
    assert len(first) == 1162
    assert all(rows[row["id"]] == row for row in first)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.id)
def test_each_row_does_what_its_label_says(example: AltTrainExample) -> None:
    assert read_verdict(example.harmfulness_assessment) == example.label
    assert judge_refusal(example.answer) == {"harmful": "refusal", "benign": "compliance"}[example.label]
    assert "\n" not in example.problem_understanding + example.harmfulness_assessment


def test_harmful_rows_come_first_as_the_demo_recipe_slices_them() -> None:
    labels = [e.label for e in EXAMPLES]
    assert labels == sorted(labels, reverse=True)
    first = [row["label"] for _, row in read_jsonl(FIRST_EDITION)]
    assert first.index("benign") == 489  # benchmarks/arms/arms.yml counts on it


def test_refusals_vary() -> None:
    openings = Counter(" ".join(words(e.answer)[:6]) for e in EXAMPLES if e.label == "harmful")
    assert openings.most_common(1)[0][1] <= 0.05 * openings.total()
    stops = Counter(e.conditional_reasoning for e in EXAMPLES if e.label == "harmful")
    assert stops.most_common(1)[0][1] <= 5


def test_understanding_does_not_give_the_label_away() -> None:
    openers = {
        label: Counter(words(e.problem_understanding)[0] for e in EXAMPLES if e.label == label)
        for label in ("harmful", "benign")
    }
    for opener, count in openers["harmful"].most_common(5):
        assert openers["benign"][opener] >= count / 6, opener


def test_no_exact_or_near_duplicates() -> None:
    assert len({asked(e).casefold().strip() for e in EXAMPLES}) == len(EXAMPLES)
    index = lsh((str(e.id), asked(e)) for e in EXAMPLES)
    near = {e.id: found for e in EXAMPLES if len(found := index.query(minhash(asked(e)))) > 1}
    assert near == {}


def test_lengths(smollm2: Any) -> None:
    tokens = [len(smollm2(e.reasoning + e.answer)["input_ids"]) for e in EXAMPLES if e.language == "en"]
    assert 80 <= mean(tokens) <= 200  # the paper's training examples have 167 tokens on average
    assert max(tokens) <= 400
    understanding = [len(words(e.problem_understanding)) for e in EXAMPLES if e.language == "en"]
    assert 10 <= mean(understanding) <= 30


def test_probe_sets_are_large_enough_and_well_formed() -> None:
    kinds = Counter(p.kind for p in PROBE_PROMPTS)
    assert kinds == {"harmful": 144, "contrast": 60, "benign": 210, "capability": 320}
    assert len({(p.set, p.id) for p in PROBE_PROMPTS}) == len(PROBE_PROMPTS)
    capability = {p.category for p in PROBE_PROMPTS if p.kind == "capability"}
    assert {"arithmetic", "facts", "reasoning", "code_reading", "languages"} <= capability


@pytest.mark.promise("input", "No seed row is an exact or near duplicate of a probe.")
def test_no_probe_is_an_exact_or_near_duplicate_of_a_training_row() -> None:
    index = lsh((str(e.id), asked(e)) for e in EXAMPLES)
    trained = {gram for e in EXAMPLES for gram in ngrams(asked(e), 8) if len(gram) == 8}
    exact = {asked(e).casefold().strip() for e in EXAMPLES}
    for prompt in PROBE_PROMPTS:
        for text in {prompt.instruction, " ".join(str(turn["content"]) for turn in prompt.conversation)}:
            assert text.casefold().strip() not in exact
            assert index.query(minhash(text)) == [], text
            assert {gram for gram in ngrams(text, 8) if len(gram) == 8} & trained == set(), text


def test_no_seed_row_and_no_probe_overlaps_with_a_published_prompt() -> None:
    folder = os.environ.get("ALTTRAIN_PUBLIC_PROMPTS")
    if not folder:
        pytest.skip("published prompts: name a folder with the publishers' files in ALTTRAIN_PUBLIC_PROMPTS")
    embedded = {path.stem for path in PROBES.glob("probe-*.jsonl")}
    published = [prompt for prompt in evaluation_prompts(Path(folder)) if prompt[0] not in embedded]
    index = EvaluationOverlap(published)
    assert index.find(published[0][2]) is not None
    asked_by_us = [*(e.messages for e in EXAMPLES), *(p.conversation for p in PROBE_PROMPTS)]
    ours = [str(turn["content"]) for turns in asked_by_us for turn in turns if turn["role"] == "user"]
    assert [found for text in ours if (found := index.find(text))] == []


def test_the_halves_of_the_probes_have_the_same_mix_and_keep_twins_together() -> None:
    rows = {path.stem: [row for _, row in read_jsonl(path)] for path in sorted(PROBES.glob("probe-*.jsonl"))}
    for name in ("probe-harmful", "probe-contrast", "probe-benign", "probe-capability"):
        sealed, opened = rows[name], rows[f"{name}-open"]
        assert len(sealed) == len(opened)
        for field in ("category", "scenario") if name in ("probe-benign", "probe-capability") else ("scenario",):
            counts = [Counter(row.get(field) for row in half) for half in (sealed, opened)]
            assert all(abs(counts[0][value] - counts[1][value]) <= 1 for value in counts[0] | counts[1]), (name, field)
    for half in ("", "-open"):
        contrast = {row["twin"] for row in rows[f"probe-contrast{half}"]}
        assert len(contrast) == 30
        assert contrast == {row["twin"] for row in rows[f"probe-benign{half}"] if "twin" in row}
    asked_for = Counter(prompt.instruction for prompt in PROBE_PROMPTS)
    assert asked_for.most_common(1)[0][1] == 1


def test_the_overlap_check_finds_an_overlap() -> None:
    prompt = PROBE_PROMPTS[0].instruction
    index = lsh([("probe", prompt)])
    assert index.query(minhash(prompt.replace(words(prompt)[0], "Kindly", 1))) == ["probe"]


def test_every_row_follows_the_structure_when_read_back() -> None:
    assert all(parse_completion(e.reasoning + "\n</think>\n\n" + e.answer).follows_structure for e in EXAMPLES)


def test_files_are_plain_jsonl() -> None:
    for path in (SEED, *sorted(PROBES.glob("probe-*.jsonl"))):
        rows = list(read_jsonl(path))
        assert [number for number, _ in rows] == list(range(1, len(rows) + 1))

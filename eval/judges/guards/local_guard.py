"""A guard that is loaded on this machine and writes greedily, in batches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from axolotl_alttrain.eval.judges.base import Case, Judgement
from axolotl_alttrain.eval.judges.guards.guard_file import Guard
from axolotl_alttrain.eval.judges.guards.guard_prompt import MARKERS, GuardPrompt

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.probing.render_limits import rendered_prompt
from axolotl_alttrain.generation.batching import BatchSizer, in_batches
from axolotl_alttrain.generation.identity import identity
from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.quantization import NF4

BATCH_TOKENS = 32768
REMEDY = "add --guard-load-in-4bit, or serve the guard and give --guard-url"


def model_of(guard: Guard, model: str | None = None, load_in_4bit: bool = False) -> ModelSpec:
    """What :class:`LocalGuard` loads; the arguments are the same."""
    flag = f"--judges {guard.name}: the model"
    return ModelSpec(model or guard.model, quantization=NF4 if load_in_4bit else None, flag=flag)


class LocalGuard:
    """A causal language model that judges as its file states.

    Args:
        guard: Its file.
        model: Folder or Hub ID instead of the file's.
        load_in_4bit: Load it in NF4.
        batch_size: Texts in a batch, at most; None for what memory allows.

    Raises:
        AltTrainError: It cannot be loaded, or its chat template does not show what is judged.
    """

    reads_thoughts = True

    def __init__(
        self, guard: Guard, model: str | None = None, load_in_4bit: bool = False, batch_size: int | None = None
    ) -> None:
        self.guard, self.name, self.version = guard, guard.name, guard.version
        self.detects_refusal = guard.refusal is not None
        spec = model_of(guard, model, load_in_4bit)
        name, self.model = spec.model, load_model(spec)
        self._tokenizer = self.model.tokenizer
        self._sizer = BatchSizer(batch_size, 64 if self.model.on_gpu else 16, BATCH_TOKENS, REMEDY)
        self.prompt = GuardPrompt(guard)
        rendered = self.render(Case(({"role": "user", "content": MARKERS[0]},), MARKERS[1]))
        if rendered.count(MARKERS[1]) != 1 or rendered.count(MARKERS[0]) != (guard.shows != "answer"):
            raise AltTrainError(
                f"--judges {guard.name}: the chat template of {name} does not show what is judged once; change "
                "'messages', 'shows' or 'content_parts' in the guard's file"
            )
        added = self._tokenizer.added_tokens_decoder.values()
        tokens = [str(token) for token in added if token.special or re.search(r"[<\[|]", str(token))]
        self.prompt = GuardPrompt(guard, re.split("|".join(MARKERS), rendered), tokens)
        # identity() looks into a local folder's weights; the commit is the Hub's.
        weights = [identity(name), self.model.located.commit, load_in_4bit, rendered]
        self.identity = json.dumps([weights, guard.model_dump(exclude={"sources", "variants"})])

    def render(self, case: Case) -> str:
        """The prompt about a case, with its special tokens.

        Raises:
            AltTrainError: The tokenizer has no chat template, or it refuses the turns.
        """
        if (text := self.prompt.text(case)) is not None:
            bos = self._tokenizer.bos_token
            starts = bos and self._tokenizer("")["input_ids"][:1] == [self._tokenizer.bos_token_id]
            return f"{bos}{text}" if starts and not text.startswith(bos) else text
        turns = self.prompt.messages(case)
        template = f"--judges {self.name}: the chat template"
        remedy = "set 'messages', 'template_args' or 'text' in the guard's file"
        return rendered_prompt(self._tokenizer, turns, template, remedy, **self.guard.template_args)

    def judge(self, cases: Sequence[Case]) -> Iterator[tuple[int, Judgement]]:
        """Judge in batches of texts alike in length. A text that is longer than the context is ``undetermined``.

        Raises:
            AltTrainError: The template refuses a conversation, or not even one text fits in memory.
        """
        prompts = [self.render(case) for case in cases]
        encoded = self._tokenizer(prompts, add_special_tokens=False)["input_ids"] if prompts else []
        fit, longest = [], self.model.longest
        for place, ids in enumerate(encoded):
            if longest and len(ids) + self.guard.max_tokens > longest:
                why = f"[not judged: {len(ids)} tokens and {self.guard.max_tokens} to write, more than its {longest}]"
                yield place, Judgement("undetermined", None, why)
            else:
                fit.append(place)
        lengths = [len(encoded[place]) for place in fit]

        def answer(batch: list[int]) -> list[Judgement]:
            return self._read([prompts[fit[i]] for i in batch])

        for i, found in in_batches(lengths, [""] * len(fit), self.guard.max_tokens, self._sizer, answer):
            yield fit[i], found

    def _read(self, prompts: Sequence[str]) -> list[Judgement]:
        skip = self.guard.thought is None  # some models write their thoughts with special tokens
        written = self.model.complete(prompts, self.guard.max_tokens, skip_special_tokens=skip)
        return [self.guard.read(one.text, one.stopped) for one in written]

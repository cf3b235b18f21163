"""Where traces come from: a Hugging Face model on this machine, or a server that speaks OpenAI's chat completions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from axolotl_alttrain.data.traces.trace_sampling import Job, Sampled, Settings
from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.example import parse_completion
from axolotl_alttrain.generation.openai_client import api_key, ask_all, completion, first_line

_REASONING_FIELDS = ("reasoning_content", "reasoning")


class HFSampler:
    """A causal language model through transformers.

    A batch is made from all queries by their length, whether they are done or not, and is drawn from a seed of its own:
    an interrupted run ends with the same traces as another one, on the same machine and with the same batch size.

    Args:
        model: Folder or hub id.
        batch_size: Sequences generated at once.
        load_in_4bit: Load the weights in NF4.
        thought_format: ``auto`` or ``s1``.

    Raises:
        AltTrainError: The model cannot be loaded.
    """

    def __init__(
        self, model: str, batch_size: int = 16, load_in_4bit: bool = False, thought_format: str = "auto"
    ) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

        from axolotl_alttrain.format.template import learn_format

        on_gpu = torch.cuda.is_available()
        compute = torch.bfloat16 if on_gpu else torch.float32
        quantization = (
            BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute)
            if load_in_4bit
            else None
        )
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
            self.model: Any = AutoModelForCausalLM.from_pretrained(
                model, dtype=compute, quantization_config=quantization, device_map="auto" if on_gpu else None
            ).eval()
        except (OSError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise AltTrainError(f"--model {model} cannot be loaded ({first}); download it or give its folder") from None
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.chat = learn_format(self.tokenizer, thought_format=thought_format)
        self.batch_size = batch_size
        self.identity = f"hf:{model}:{'nf4' if load_in_4bit else 'full'}:{batch_size}"
        self.settings: Settings | None = None

    def sample(self, jobs: Sequence[Job], done: Callable[[str], bool]) -> Iterator[tuple[Job, Sampled]]:
        """See :class:`axolotl_alttrain.data.traces.trace_sampling.Sampler`."""
        prompts = {job.key: self.chat.prompt([{"role": "user", "content": job.query.text}]) for job in jobs}
        lengths = dict(zip(prompts, (len(ids) for ids in self.chat.encode(list(prompts.values()))), strict=True))
        order = sorted(jobs, key=lambda job: (-lengths[job.key], job.key))
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            if all(done(job.key) for job in batch):
                continue
            for job, sampled in zip(batch, self._generate([prompts[job.key] for job in batch], batch), strict=True):
                if not done(job.key):
                    yield job, sampled

    def _generate(self, prompts: list[str], batch: Sequence[Job]) -> list[Sampled]:
        import torch

        settings = self.settings
        assert settings is not None
        stops = {*self.chat.encode([self.chat.thought.end])[0][-1:], self.tokenizer.eos_token_id} - {None}
        inputs = self.tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
        inputs = inputs.to(self.model.device)
        drawn = {"do_sample": True, "temperature": settings.temperature, "top_p": settings.top_p, "top_k": 0}
        seed = hashlib.sha256("".join([str(settings.seed), *(job.key for job in batch)]).encode()).digest()[:8]
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(int.from_bytes(seed, "big") >> 1)
            out = self.model.generate(
                **inputs,
                max_new_tokens=settings.max_new_tokens,
                eos_token_id=sorted(stops),
                pad_token_id=self.tokenizer.pad_token_id,
                **(drawn if settings.temperature > 0 else {"do_sample": False}),
            )
        return [self._sampled(ids, stops) for ids in out[:, inputs["input_ids"].shape[1] :].tolist()]

    def _sampled(self, ids: list[int], stops: set[int]) -> Sampled:
        end = next((i for i, token in enumerate(ids) if token in stops), None)
        text = self.tokenizer.decode(ids[:end], skip_special_tokens=False, clean_up_tokenization_spaces=False)
        parsed = parse_completion(text, self.chat.thought)
        return Sampled(parsed.thought, parsed.answer, end is not None and not parsed.truncated)


class OpenAISampler:
    """A model behind an OpenAI-compatible server; its thought comes in a field of its own or in think tags.

    Args:
        model: The server's name for it.
        base_url: The server's address; OpenAI's own by default.
        concurrency: Requests held at once.
        api_key_env: The environment variable with the key.
        timeout_s: Seconds for one answer.
        max_retries: Of 408, 409, 429, 5xx, timeouts and broken connections, by the official client.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        concurrency: int = 16,
        api_key_env: str = "OPENAI_API_KEY",
        timeout_s: float = 600.0,
        max_retries: int = 6,
    ) -> None:
        self.model, self.base_url, self.concurrency = model, base_url, concurrency
        self.timeout_s, self.max_retries = timeout_s, max_retries
        if (key := api_key(api_key_env, base_url)) is None:
            raise AltTrainError(f"there is no API key; set the environment variable {api_key_env}, or give --base-url")
        self._key = key
        self.identity = f"openai:{model}"
        self.settings: Settings | None = None

    def sample(self, jobs: Sequence[Job], done: Callable[[str], bool]) -> Iterator[tuple[Job, Sampled]]:
        """See :class:`axolotl_alttrain.data.traces.trace_sampling.Sampler`."""
        import openai

        wanted = (job for job in jobs if not done(job.key))
        try:
            yield from ask_all(
                self._ask, wanted, concurrency=self.concurrency, api_key=self._key, base_url=self.base_url,
                timeout=self.timeout_s, max_retries=self.max_retries,
            )  # fmt: skip
        except openai.APIError as error:
            where = self.base_url or "api.openai.com"
            raise AltTrainError(
                f"{self.model} at {where}: {first_line(error)}; run the command again, finished traces are kept"
            ) from None

    async def _ask(self, client: Any, job: Job) -> Sampled:
        settings = self.settings
        assert settings is not None
        answer = await completion(
            client,
            model=self.model,
            messages=[{"role": "user", "content": job.query.text}],
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_tokens=settings.max_new_tokens,
            seed=settings.seed + job.number,
        )
        choice = answer.choices[0]
        content = choice.message.content or ""
        finished = choice.finish_reason == "stop"
        for field in _REASONING_FIELDS:
            if isinstance(thought := getattr(choice.message, field, None), str) and thought.strip():
                return Sampled(thought.strip(), content.strip(), finished)
        parsed = parse_completion(content)
        return Sampled(parsed.thought, parsed.answer, finished and not parsed.truncated)

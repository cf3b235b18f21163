"""Where traces come from: a Hugging Face model on this machine, or a server that speaks OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from axolotl_alttrain.data.traces.trace_sampling import Job, Sampled, Settings
from axolotl_alttrain.errors import AltTrainError, first_line
from axolotl_alttrain.format.parsed_completion import parse_completion
from axolotl_alttrain.generation.identity import template_identity
from axolotl_alttrain.generation.loading import ModelSpec, load_model
from axolotl_alttrain.generation.quantization import NF4
from axolotl_alttrain.generation.sampling import Sampling, sampler
from axolotl_alttrain.generation.server.openai_client import MESSAGE_CHARS, api_key, ask_all, completion, server_address
from axolotl_alttrain.generation.server.openai_reply import reply


class HFSampler:
    """A causal language model through transformers.

    Batches are formed from all queries by length, whether they are done or not: an interrupted run ends with the same
    traces as an uninterrupted one on the same machine and with the same batch size.

    Args:
        model: Folder or hub id.
        batch_size: Sequences generated at once.
        load_in_4bit: Load the weights in NF4.
        thought_format: ``auto`` or ``s1``.

    Raises:
        AltTrainError: The model cannot be loaded, or its chat template cannot be used.
    """

    def __init__(
        self, model: str, batch_size: int = 16, load_in_4bit: bool = False, thought_format: str = "auto"
    ) -> None:
        import torch

        dtype = "bfloat16" if torch.cuda.is_available() else "float32"
        quantization = NF4 if load_in_4bit else None
        self.loaded = load_model(
            ModelSpec(model, quantization=quantization, dtype=dtype, thought_format=thought_format)
        )
        self.chat = self.loaded.chat
        self.batch_size = batch_size
        self.name = model
        weights = "nf4" if load_in_4bit else "full"
        self.identity = f"hf:{self.loaded.located.identities[0]}:{weights}:{template_identity(self.chat)}"
        self.former_identity = f"hf:{model}:{weights}:{batch_size}"
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
        settings = self.settings
        assert settings is not None
        how = Sampling(settings.max_new_tokens, settings.temperature, settings.top_p, settings.seed)
        pick = sampler(how, [int(job.key[:12], 16) for job in batch])
        sampled = []
        for found in self.loaded.complete(prompts, settings.max_new_tokens, pick=pick):
            parsed = parse_completion(found.text, self.chat.thought)
            sampled.append(Sampled(parsed.thought, parsed.answer, found.stopped and not parsed.truncated))
        return sampled


class OpenAISampler:
    """A model behind an OpenAI-compatible server. Its thought arrives in a separate field or in think tags.

    Args:
        model: The server's name for it.
        base_url: The server's address; OpenAI's own by default.
        concurrency: Requests in flight.
        api_key_env: The environment variable with the key.
        timeout_s: Time limit of one answer, in seconds.
        max_retries: Retries of the openai client after 408, 409, 429, 5xx, timeouts and broken connections.

    Raises:
        AltTrainError: OpenAI's own server is used without a key.
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
        self.name = model
        self.identity = f"openai:{server_address(base_url)} {model}"
        self.former_identity = f"openai:{model}"
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
            where = server_address(self.base_url)
            raise AltTrainError(
                f"{self.model} at {where}: {first_line(error, MESSAGE_CHARS)}; run the same command again: "
                "finished samples are kept"
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
        said = reply(answer.choices[0])
        finished = said.finish == "stop"
        if said.thought.strip():
            return Sampled(said.thought.strip(), said.text.strip(), finished)
        parsed = parse_completion(said.text)
        return Sampled(parsed.thought, parsed.answer, finished and not parsed.truncated)

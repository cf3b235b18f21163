"""Prompts that are rendered here, for a server that must neither extend them nor strip their special tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from axolotl_alttrain.errors import AltTrainError, first_line
from axolotl_alttrain.format.template import ChatFormat
from axolotl_alttrain.generation.next_word import LIKELIEST, NoLogProbabilities
from axolotl_alttrain.generation.server.openai_client import REFUSED, ask_all, completion

# A rendered prompt already has its special tokens, and some templates write thoughts with special tokens.
EXACT_FIELDS = {"add_special_tokens": False, "skip_special_tokens": False}
_BROKEN = "\N{REPLACEMENT CHARACTER}"  # part of a character: several tokens have this text


class RenderedPrompts:
    """Asks a server's ``/completions``.

    Args:
        url: The server, for messages.
        chat: The format in which prompts are rendered.
        connection: How to reach the server, as
            :func:`axolotl_alttrain.generation.server.openai_client.ask_all` takes it.
    """

    def __init__(self, url: str, chat: ChatFormat, connection: Mapping[str, Any]) -> None:
        self.url = url
        self.chat = chat
        self._connection = connection
        self._takes_fields = True

    async def completion(self, client: Any, name: str, text: str, **body: Any) -> Any:
        """Complete one prompt as it is.

        vLLM and SGLang have fields that ask for this. Servers that reject them, such as ``transformers serve``, are
        asked without them if that cannot change a completion.

        Raises:
            openai.APIStatusError: The server refused the request.
        """
        from openai import APIStatusError

        if self._takes_fields:
            try:
                return await completion(
                    client, chat=False, model=name, prompt=text, extra_body=dict(EXACT_FIELDS), **body
                )
            except APIStatusError as error:
                if error.status_code not in REFUSED or not any(field in str(error.body) for field in EXACT_FIELDS):
                    raise
                self._check_exact_without_fields(error)
                self._takes_fields = False
        return await completion(client, chat=False, model=name, prompt=text, **body)

    def _check_exact_without_fields(self, error: Exception) -> None:
        sentence = "Hello"
        if self.chat.tokenizer(sentence)["input_ids"] != self.chat.encode([sentence])[0]:
            why = "the server would add special tokens to rendered prompts"
        elif self.chat.special_text.search(self.chat.thought.open + self.chat.thought.close):
            why = "the server would remove the special tokens around thoughts"
        else:
            return
        message = f"{self.url} rejects {' and '.join(EXACT_FIELDS)}, and {why}; remove --tokenizer"
        raise AltTrainError(f"{message} (the server's reply: {first_line(error)})") from None

    def likeliest_tokens(self, name: str, texts: Sequence[str]) -> Iterator[tuple[int, dict[str, float]]]:
        """Index and log-probabilities, by the token's text, of what may follow each rendered text.

        Raises:
            NoLogProbabilities: The server gives none.
            AltTrainError: The server failed.
        """
        from openai import APIStatusError, OpenAIError

        async def ask(client: Any, index: int) -> Any:
            return await self.completion(client, name, texts[index], max_tokens=1, temperature=0, logprobs=LIKELIEST)

        try:
            for index, answer in ask_all(ask, range(len(texts)), **self._connection):
                logprobs = answer.choices[0].logprobs
                if not logprobs or not logprobs.top_logprobs or not logprobs.top_logprobs[0]:
                    raise NoLogProbabilities("the server gives no log-probabilities")
                yield index, {text: found for text, found in logprobs.top_logprobs[0].items() if _BROKEN not in text}
        except APIStatusError as error:
            if error.status_code not in REFUSED:
                raise AltTrainError(f"{self.url}: {first_line(error)}; check the server's log") from None
            raise NoLogProbabilities(f"the server refuses to give log-probabilities ({first_line(error)})") from None
        except OpenAIError as error:
            raise AltTrainError(f"{self.url}: {first_line(error)}; check that the server still runs") from None

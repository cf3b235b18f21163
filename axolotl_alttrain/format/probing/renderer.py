"""Render messages with a chat template: its variables, the shape of its contents, and its frozen date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from axolotl_alttrain.errors import TemplateError, one_line
from axolotl_alttrain.format.example import Message
from axolotl_alttrain.format.probing.content_shapes import TEXT, Shape
from axolotl_alttrain.format.probing.frozen_date import FROZEN, strftime_frozen
from axolotl_alttrain.format.probing.render_limits import TemplateLimitError, limited


@dataclass(frozen=True)
class Renderer:
    """A tokenizer's template with its variables.

    Attributes:
        tokenizer: A Hugging Face tokenizer.
        source: Jinja source.
        kwargs: Variables passed to the template.
        shape: How the template takes the content of a message.
    """

    tokenizer: Any
    source: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    shape: Shape = TEXT

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of ``apply_chat_template``, with a clock that stands still."""
        return {"strftime_now": strftime_frozen, **self.kwargs}

    def __call__(self, messages: Sequence[Message], generate: bool) -> str:
        """Render ``messages``, with a generation prompt if ``generate``.

        Raises:
            TemplateError: The template rejects these messages.
            TemplateLimitError: It does not come to an end.
        """
        try:
            rendered: str = self._applied([self.shape(message) for message in messages], generate)
        except TemplateLimitError:
            raise
        except Exception as error:  # Jinja has many kinds of errors, and templates raise their own
            roles = ", ".join(str(message.get("role")) for message in messages)
            raise TemplateError(f"the chat template cannot render the turns {roles} ({one_line(error)})") from error
        return rendered

    def prompts(self, conversations: Sequence[Sequence[Message]]) -> list[str]:
        """Render conversations with a generation prompt, in one call, which is faster.

        Raises:
            TemplateError, TemplateLimitError: As for a single conversation; the first that fails is at fault.
        """
        if len(conversations) > 1:
            shaped = [[self.shape(message) for message in turns] for turns in conversations]
            # If this fails, one of them fails alone as well, or all together take longer than one may.
            with suppress(Exception):
                return list(self._applied(shaped, True))
        return [self(turns, True) for turns in conversations]

    def tried(self, messages: Sequence[Message], generate: bool = False) -> str | None:
        """The rendered messages; None if the template rejects them."""
        try:
            return self(messages, generate)
        except TemplateError:
            return None

    def having(self, kwargs: Mapping[str, Any]) -> Renderer:
        """The same with more variables."""
        return replace(self, kwargs={**self.kwargs, **kwargs})

    def date(self, messages: Sequence[Message]) -> str | None:
        """The date that these messages' prompt contains; None if the template writes none."""
        today = self.tried(messages, True)
        other = self.having({"strftime_now": _no_date}).tried(messages, True)
        return None if today == other else FROZEN.isoformat()

    def _applied(self, conversations: list[Any], generate: bool) -> Any:
        """One conversation, or several as lists, by the tokenizer's own method."""
        with limited():
            return self.tokenizer.apply_chat_template(
                conversations,
                chat_template=self.source,
                tokenize=False,
                add_generation_prompt=generate,
                **self.variables,
            )


def _no_date(_: str) -> str:
    return "01 Jan 1970"

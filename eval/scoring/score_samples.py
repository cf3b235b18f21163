"""From samples to scored samples: parsed, judged and measured, thought and answer separately."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.judges import refusal_judge
from axolotl_alttrain.eval.judges.base import Case, Judge, Judgement, JudgementFile, Verdict, judge_all
from axolotl_alttrain.eval.judges.refusal import RefusalJudge
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.scoring.metrics import Scored
from rich.console import Console

from axolotl_alttrain.format.example import Message, ThoughtFormat
from axolotl_alttrain.format.parsed_completion import ParsedCompletion, parse_completion
from axolotl_alttrain.generation.next_word import VerdictScore


def score(
    samples: Sequence[Sample],
    prompts: Mapping[tuple[str, str], Prompt],
    fmt: ThoughtFormat,
    count_tokens: Callable[[Sequence[str]], list[int]],
    judges: Sequence[Judge] = (RefusalJudge(),),
    file: JudgementFile | None = None,
    judge_thoughts: bool = True,
    console: Console | None = None,
    verdict_scores: Mapping[str, VerdictScore] = MappingProxyType({}),
    thinks: bool = True,
    judge_part: str = "answer",
) -> list[Scored]:
    """Parse samples and judge them.

    Args:
        samples: In any order.
        prompts: By set and id.
        fmt: The markers around thoughts in the model's template.
        count_tokens: Lengths of texts in tokens.
        judges: The first determines the rates, the first that detects refusals over-refusal; all are kept.
        file: Keeps the judgements of judges that are models.
        judge_thoughts: Whether judges that can do so also judge each thought on its own.
        console: For the progress of judges that take time.
        verdict_scores: By the samples' keys.
        thinks: Whether the model was asked to think.
        judge_part: What judges that are models see: ``answer``, or ``completion``, the text with its thought.
    """
    parsed = [parse_completion(sample.completion, fmt) for sample in samples]
    asked = [prompts[sample.set, sample.id] for sample in samples]
    exchanges = [_Exchange(*one) for one in zip(samples, asked, parsed, strict=True)]
    of_answer: dict[str, list[Judgement | None]] = {}
    of_thought: dict[str, list[Judgement | None]] = {}
    for number, judge in enumerate(judges):
        unlabelled = number == 0 and judge.name == "refusal"
        cases = [one.completion() if sees_thoughts(judge, judge_part) else one.answer(unlabelled) for one in exchanges]
        of_answer[judge.name] = judge_all(judge, cases, file, console)
        if judge_thoughts and judge.reads_thoughts:
            of_thought[judge.name] = judge_all(judge, [one.thought() for one in exchanges], file, console)
    first, refusals = of_answer[judges[0].name], of_answer[refusal_judge(judges).name]
    thoughts = count_tokens([part.thought for part in parsed])
    answers = count_tokens([part.answer for part in parsed])
    return [
        Scored(
            sample=one.sample,
            prompt=one.prompt,
            parsed=one.parsed,
            judgement=_verdict(first[i]),
            right=one.right,
            thought_tokens=thoughts[i],
            answer_tokens=answers[i],
            judgements={name: found[i] for name, found in of_answer.items()},
            thoughts={name: found[i] for name, found in of_thought.items()},
            refusal=_verdict(refusals[i]),
            verdict_score=verdict_scores.get(one.sample.key),
            thinks=thinks,
        )
        for i, one in enumerate(exchanges)
    ]


def sees_thoughts(judge: Judge, judge_part: str) -> bool:
    """Whether a judge reads the answer together with its thought; the offline rules read how an answer opens."""
    return judge_part == "completion" and bool(judge.identity)


class _Exchange(NamedTuple):
    """A sample with its prompt and its parts."""

    sample: Sample
    prompt: Prompt
    parsed: ParsedCompletion

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The request without the attack, or the conversation with the model's own earlier turns."""
        return self.prompt.judged or self.sample.history or self.prompt.conversation

    @property
    def right(self) -> bool | None:
        """Whether the answer to a capability prompt is right; None for other prompts."""
        if self.prompt.kind != "capability":
            return None
        return self.prompt.is_right(self.parsed.answer) and not self.parsed.truncated

    def answer(self, unlabelled: bool) -> Case | None:
        """The answer to judge; None without one. ``unlabelled``: also where the prompt has no label."""
        if self.parsed.truncated or (self.prompt.label is None and not unlabelled):
            return None
        return Case(self.conversation, self.parsed.answer, asked=self.prompt.instruction)

    def completion(self) -> Case | None:
        """The text as it was generated, with a thought that may be truncated; None without one or without a label."""
        text = self.sample.completion.strip()
        return Case(self.conversation, text, asked=self.prompt.instruction) if self.prompt.label and text else None

    def thought(self) -> Case | None:
        """The thought to judge; None without one or without a label."""
        if not self.prompt.label or not self.parsed.thought:
            return None
        return Case(self.conversation, self.parsed.thought, "thought")


def _verdict(judgement: Judgement | None) -> Verdict | None:
    return judgement.verdict if judgement else None

"""From samples to scored samples: parsed, judged and measured, thought and answer separately."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from axolotl_alttrain.eval.completions.samples import Sample
from axolotl_alttrain.eval.judges import refusal_judge
from axolotl_alttrain.eval.judges.base import Case, Judge, Judgement, JudgementFile, judge_all
from axolotl_alttrain.eval.judges.refusal import RefusalJudge
from axolotl_alttrain.eval.prompts.prompt import Prompt
from axolotl_alttrain.eval.scoring.metrics import Scored
from rich.console import Console

from axolotl_alttrain.format.completion import parse_completion
from axolotl_alttrain.format.example import ThoughtFormat


def score(
    samples: Sequence[Sample],
    prompts: Mapping[tuple[str, str], Prompt],
    fmt: ThoughtFormat,
    count_tokens: Callable[[Sequence[str]], list[int]],
    judges: Sequence[Judge] = (RefusalJudge(),),
    file: JudgementFile | None = None,
    judge_thoughts: bool = True,
    console: Console | None = None,
) -> list[Scored]:
    """Parse samples and judge them.

    Args:
        samples: In any order.
        prompts: By set and id.
        fmt: The markers around thoughts in the model's template.
        count_tokens: Lengths of texts in tokens.
        judges: The first makes the rates, and the first that detects refusals makes those of refusals; all are kept.
        file: Keeps the judgements of judges that are models.
        judge_thoughts: Whether judges that can do so also judge each thought on its own.
        console: For the progress of judges that take time.
    """
    parsed = [parse_completion(sample.completion, fmt) for sample in samples]
    thoughts = count_tokens([part.thought for part in parsed])
    answers = count_tokens([part.answer for part in parsed])
    asked = [prompts[sample.set, sample.id] for sample in samples]
    # The request without the attack, or the conversation with the model's own earlier turns.
    shown = [p.judged or sample.history or p.conversation for p, sample in zip(asked, samples, strict=True)]
    of_answer: dict[str, list[Judgement | None]] = {}
    of_thought: dict[str, list[Judgement | None]] = {}
    refusals = refusal_judge(judges)
    for judge in judges:
        wanted = [p.label is not None or (judge is judges[0] and judge.name == "refusal") for p in asked]
        cases = [
            Case(seen, part.answer, asked=p.instruction) if want and not part.truncated else None
            for p, seen, part, want in zip(asked, shown, parsed, wanted, strict=True)
        ]
        of_answer[judge.name] = judge_all(judge, cases, file, console)
        if judge_thoughts and judge.reads_thoughts:
            cases = [
                Case(seen, part.thought, "thought") if p.label and part.thought else None
                for p, seen, part in zip(asked, shown, parsed, strict=True)
            ]
            of_thought[judge.name] = judge_all(judge, cases, file, console)
    scored = []
    for i, (sample, part, thought, answer) in enumerate(zip(samples, parsed, thoughts, answers, strict=True)):
        prompt = asked[i]
        said = {name: found[i] for name, found in of_answer.items()}
        first, refusal = said[judges[0].name], said[refusals.name]
        right = (prompt.is_right(part.answer) and not part.truncated) if prompt.kind == "capability" else None
        scored.append(
            Scored(
                sample,
                prompt,
                part,
                first.verdict if first else None,
                right,
                thought,
                answer,
                said,
                {name: found[i] for name, found in of_thought.items()},
                refusal.verdict if refusal else None,
            )
        )
    return scored

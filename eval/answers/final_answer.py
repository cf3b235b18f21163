r"""The final answer of a text: boxed, otherwise labelled, otherwise marked; never taken from running text.

The tasks of ``lm_tasks/`` ask for ``\boxed{}``. If nothing is boxed, a labelled answer counts ("The answer is X",
``"answer": "X"``, 答案是X, X alone on a line), otherwise a marked one: **X** or, for options, (X). The last one
of each kind wins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

_BOX = re.compile(r"\\f?box(?:ed)?\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")
_WRAPPED = re.compile(r"\\(?:text|textbf|textrm|mathrm|mathbf|mathsf)\s*\{([^{}]*)\}")
_MARKUP = re.compile(r"(?<!\w)\*\*|\*\*(?!\w)|\\[()\[\],!; ]|[`$\"“”{}]")  # 2**50 is a formula, not bold
_LABEL = (
    r"(?:(?i:<answer>|\b(?:answer|(?:correct|right|best) (?:option|choice))\b(?:(?!not\b|n't\b|never\b)[^.\n:=]){0,40}?"
    r"(?:\b(?:is|be)\b\s*:?|[:=])\s*(?:(?:option|choice)\b)?)"
    r"|(?:答案|正确选项|正确的)(?:应该|应当|应)?(?:是|为|选择|选|:|】|\s)+(?:选项)?"
    r"|(?:^|[,。;:\s]|故|所以|因此|我|本题|(?<!不)应该?)选择?:?)[\s(\[]*"
)
# Without a sign that it is an option, "A" or a lower-case letter is a word.
_OPTION = r"A(?!\s+(?!because|since|as|for|due\b)[a-z])|[B-D]|(?<=\()[a-d](?=\))"
_NO_OTHER_OPTION = (  # after a comma, only if the list then ends: "答案是A，B和C都不对" names one
    r"(?![A-Za-z0-9_^'’/-])(?![\s)]*(?:、|or\b|and\b|和|或)[\s(]*[A-D](?![A-Za-z]))"
    r"(?![\s)]*,[\s(]*[A-D][\s)]*(?:$|[.,。]|and\b|or\b))"
)
_NUMBER = r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?"
_NO_FORMULA = r"(?![A-Za-z\d^]|[,.]\d|\s*\\[A-Za-z]|\s*[-+*/×÷=]+\s*(?:[\d\\(]|[a-z]\b))"


def final_letter(text: str) -> str | None:
    """The option A, B, C or D that a text gives as its answer; None if it gives none or several at once.

    Args:
        text: The text after the thought.
    """
    text = unicodedata.normalize("NFKC", text)  # full-width letters, brackets and colons
    if (boxed := _last(_BOX, text, _one_letter)) is not None:
        return boxed or None
    if labelled := _labelled(text, _OPTION, _NO_OTHER_OPTION):
        return labelled.upper()
    if "\n" not in text.strip() and re.match(r"\W*[A-D][).:]\s", text):  # only "D. The words of the option"
        return _one_letter(text.strip().lstrip("*")) or None
    for sentence in reversed(re.split(r"(?<!\*[A-D])[.。!?;\n]", text)):
        marked = {*map(_one_letter, _BOLD.findall(sentence)), *re.findall(r"\(([A-D])\)", sentence)} - {None}
        if marked:
            return marked.pop() or None if len(marked) == 1 else None
    return None


def final_number(text: str) -> float | None:
    """The number that a text gives as its answer; None if it gives none, or a formula.

    Args:
        text: The text after the thought.
    """
    found = labelled_number(text)
    return _last(_BOLD, text, _one_number) if found is None else found


def labelled_number(text: str) -> float | None:
    """As :func:`final_number`, but numbers that are only bold do not count."""
    if (boxed := _last(_BOX, text, _one_number)) is not None:
        return boxed
    labelled = _labelled(text, _NUMBER, _NO_FORMULA)
    return float(labelled.replace(",", "")) if labelled else None


def _last(form: re.Pattern[str], text: str, read: Callable[[str], Answer | None]) -> Answer | None:
    """The answer in the last match that contains one."""
    return next((one for content in reversed(form.findall(text)) if (one := read(content)) is not None), None)


def _labelled(text: str, answer: str, end: str) -> str | None:
    """The last answer after a label or alone on its line."""
    text = _without_markup(text)
    forms = (rf"{_LABEL}({answer}){end}", rf"^[\s#>(\[]*({answer})[\s.)\]。]*$")
    found = [(one.start(1), one[1]) for form in forms for one in re.finditer(form, text, re.MULTILINE)]
    return max(found)[1] if found else None


def _one_letter(content: str) -> str | None:
    """The option in a box or bold text; empty if it contains several, None if it contains something else."""
    content = re.sub(r"^(?:(?i:option|choice|answer)\b:?|选项)\s*", "", _without_markup(content).strip())
    if re.fullmatch(r"\(?[A-D]\)?(?:\W*(?:and|or|和|或)?\W*\(?[A-D]\)?)+", content):
        return ""
    found = re.fullmatch(r"\(?([A-Da-d])\)?[.:]?|\(?([A-D])(?:\)[.:]?|[.:])\s*\S.*", content, re.DOTALL)
    return (found[1] or found[2]).upper() if found else None


def _one_number(content: str) -> float | None:
    """The number in a box or bold text, with or without a unit or ``x =``; None if it contains something else."""
    unit = r"\.|\s+[A-Za-z ]+\.?|\s*(?:\^?\s*\\circ|°|\\?%)"
    found = re.fullmatch(rf"(?:[^=]*=)?\s*({_NUMBER})\s*(?:{unit})?", _without_markup(content).strip())
    return float(found[1].replace(",", "")) if found else None


def _without_markup(text: str) -> str:
    return _MARKUP.sub("", _WRAPPED.sub(r" \1", text)).replace("：", ":")

from __future__ import annotations

import resource
import signal
import sys
import threading
import time
from typing import Any

import pytest

from axolotl_alttrain.errors import AltTrainError
from axolotl_alttrain.format.probing import render_limits
from axolotl_alttrain.format.probing.render_limits import TemplateLimitError, limited, rendered_prompt

TURNS = [{"role": "system", "content": "Judge."}, {"role": "user", "content": "Hi"}]


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_template_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_limits, "SECONDS", 0.2)
    with pytest.raises(TemplateLimitError) as error, limited():
        busy(2)
    assert str(error.value) == (
        "the chat template has not finished after 0.2 seconds; correct its loops, or set 'chat_template:' to another "
        "template"
    )
    # The timer is off outside, and the time counts anew inside.
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    busy(0.4)
    with limited():
        assert signal.getitimer(signal.ITIMER_PROF)[1] == pytest.approx(0.1, abs=0.01)
        busy(0.15)


def test_the_handler_is_installed_where_there_is_none() -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    with limited():
        assert signal.getsignal(signal.SIGPROF) == render_limits._WATCH.check
        assert signal.getitimer(signal.ITIMER_PROF)[1] > 0


def test_a_template_that_takes_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = 64 << 20
    monkeypatch.setattr(render_limits, "MEMORY", allowed)
    peaks = iter([1, 1 + allowed, 2 + allowed])
    monkeypatch.setattr(render_limits, "_peak_memory", lambda: next(peaks))
    with pytest.raises(TemplateLimitError) as error, limited():
        busy(2)
    assert str(error.value) == (
        "the chat template has taken more than 64 MiB of memory; correct what it repeats, or set 'chat_template:' to "
        "another template"
    )
    assert list(peaks) == []


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS counts in bytes")
def test_the_peak_of_the_memory_is_in_bytes() -> None:
    assert render_limits._peak_memory() == resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_nothing_is_watched_in_another_thread_or_under_another_handler() -> None:
    seen: list[tuple[float, float]] = []

    def look() -> None:
        with limited():
            seen.append(signal.getitimer(signal.ITIMER_PROF))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    previous = signal.signal(signal.SIGPROF, signal.SIG_IGN)
    try:
        look()
        assert signal.getsignal(signal.SIGPROF) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGPROF, previous)
    assert seen == [(0.0, 0.0), (0.0, 0.0)]


def test_the_prompt_of_a_judge(smollm2: Any) -> None:
    tokenizer = smollm2
    prompt = rendered_prompt(tokenizer, TURNS, "the judge's template", "use another", chat_template=SOURCE, mark="!")
    assert prompt == "system: Judge.\nuser: Hi\n!assistant: "
    options = {"chat_template": SOURCE, "add_generation_prompt": False}
    assert rendered_prompt(tokenizer, TURNS, "", "", **options) == "system: Judge.\nuser: Hi\n"
    refusing = "{{ raise_exception('no\n system') }}"
    with pytest.raises(AltTrainError) as error:
        rendered_prompt(tokenizer, TURNS, "the judge's template", "use another", chat_template=refusing)
    assert str(error.value) == "the judge's template cannot render the turns system, user (no system); use another"


SOURCE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ mark }}assistant: {% endif %}"
)

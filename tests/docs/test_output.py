from __future__ import annotations

from pathlib import Path

import pytest

from docs.output import cleaned, excerpt


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        ("\n\na\x1b[1mb\x1b[0m \n\n", "ab"),
        ("one\r\ntwo", "one\ntwo"),
        ("  0%|          | 0/9 [00:00<?, ?it/s]\r 11%|█         | 1/9 [00:02<00:19,  2.49s/it]\n", ""),
        ("old\rnew\n", "new"),
        ("100%|██████████| 9/9 [08:59<00:00,  1.71s/it][12:00] probe at step 9", "[12:00] probe at step 9"),
        ("Loading weights: 100%|██████████| 272/272 [00:00<00:00, 8657.57it/s]\nnext", "next"),
        ("/some/root/run/a.txt and /some/root", "run/a.txt and ."),
        (f"{Path.home()}/.cache", "~/.cache"),
        ("Failed to load /lib/torchao/_C.so: no\nkept", "kept"),
        ("W1125 00:31:03.676000 19080 torch/utils/_pytree.py:630] deprecated\nkept", "kept"),
        ("/lib/ops.py:247: UserWarning: Skipping\n  gemm_4bit = get_kernel(\nkept", "kept"),
        ("[2026-01-01 00:00:00,000] [WARNING] [torchao] Failed to load /lib/_C.so: no\nkept", "kept"),
        ("[2026-01-01] [WARNING] [axolotl] it is high", "[2026-01-01] [WARNING] [axolotl] it is high"),
        ("     #@@ #@@      @@# @@#\n   @@    #@@@@@@@@@    @@           #@#@=\nkept", "kept"),
        ("Warning: this is ours", "Warning: this is ours"),
    ],
)  # fmt: skip
def test_only_what_the_rules_name_is_removed(raw: str, left: str) -> None:
    assert cleaned(raw, Path("/some/root")) == left


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({}, "a1 b1 a2 b2 b3 a3"),
        ({"head": 2}, "a1 b1 …"),
        ({"tail": 2}, "… b3 a3"),
        ({"head": 1, "tail": 1}, "a1 … a3"),
        ({"head": 3, "tail": 2}, "a1 b1 a2 b2 b3 a3"),  # a mark would stand for a single line
        ({"grep": "a"}, "a1 … a2 … a3"),
        ({"grep": "b", "head": 2}, "… b1 …"),
        ({"head": 9}, "a1 b1 a2 b2 b3 a3"),
    ],
)
def test_what_is_left_out_is_marked(options: dict, left: str) -> None:
    assert excerpt("a1\nb1\na2\nb2\nb3\na3", **options).split("\n") == left.split()


def test_no_output_is_no_line() -> None:
    assert excerpt("", grep="a") == ""

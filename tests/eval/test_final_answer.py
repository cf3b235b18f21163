from __future__ import annotations

import pytest

from eval.final_answer import final_letter, final_number


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        # boxed
        (r"\boxed{D}", "D"),
        (r"$\boxed{\text{D}}$", "D"),
        (r"\boxed{\textbf{(D)}}", "D"),
        (r"\boxed{d}", "D"),
        (r"\boxed{D. 5 nm}", "D"),
        (r"\boxed{\text{Option D}}", "D"),
        (r"\boxed{\text{D and C}}", None),
        (r"\boxed{\text{D) 5 nm}}", "D"),
        (r"First \boxed{A}, no: \boxed{D}.", "D"),
        (r"\boxed{D}. The answer is A only where friction is gone.", "D"),
        (r"The length is \boxed{5.2}. The answer is D.", "D"),
        (r"\boxed{A, B}", None),
        (r"\boxed{(A) and (B)}", None),
        (r"\boxed{AB}", None),
        (r"\boxed{C_6H_6}", None),
        (r"\boxed{A good one}", None),
        (r"The answer is \boxed{D", None),  # cut off
        # labelled
        ("The answer is D.", "D"),
        ("The correct answer is (D) 5 nm.", "D"),
        ("The correct answer to this question is option **D**.", "D"),
        ("The answer should be (d).", "D"),
        ("The correct choice is D.", "D"),
        ("Is the answer A? No. The answer is D!", "D"),
        ("<answer>D</answer>", "D"),
        ('```json\n{"answer": "D"}\n```', "D"),
        ("**Answer:** D", "D"),
        ("**Answer: D**, since (A) ignores friction.", "D"),
        ("Answer:\n\nD", "D"),
        ("### Final answer\n\n**D**", "D"),
        ("The answer is A. Wait. The answer is D.", "D"),
        ("The answer is (D), because (A) ignores friction.", "D"),
        ("The answer is A because D ignores friction.", "A"),
        ("This is A good question. Answer: B", "B"),
        ("D", "D"),
        ("D.", "D"),
        ("D. 5 nm", "D"),
        ("**D) 5 nm**", "D"),
        ("The answer is not (A) but (D).", None),
        ("The answer cannot be D.", None),
        ("The answer is A or B.", None),
        ("The answer is A, B.", None),
        ("The answer is A, B and C.", None),
        ("The answer is D-glucose.", None),
        ("The answer is A matter of taste.", None),
        ("The answer is a matter of taste.", None),
        # marked
        ("**D**", "D"),
        ("It is **(D)**.", "D"),
        ("So **D. 5 nm** it is.", "D"),
        ("Not (A), not (B). So (D)", "D"),
        ("(D) is right; (Z) is not an option", "D"),
        ("Between (A) and (B) I cannot decide.", None),
        ("**A** or **B**", None),
        # running text
        ("A good question. B is a letter, and so is D", None),
        ("Vitamin C helps. Plan B", None),
        ("I do not know.", None),
        ("", None),
    ],
)
def test_letters(answer: str, letter: str | None) -> None:
    assert final_letter(answer) == letter


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("分析：B选项错误，C选项错误，因此正确答案是A。", "A"),
        ("A选项不对，B也不对。正确答案是A。", "A"),
        ("答案是A。", "A"),
        ("答案：Ａ", "A"),
        ("**答案：A**", "A"),
        ("答案应为（A）。", "A"),
        ("正确的是A，B和C都不对。", "A"),
        ("正确选项是：A", "A"),
        ("B和C都不对,所以选A", "A"),
        ("选A", "A"),
        ("应选择A。", "A"),
        ("故选：A。", "A"),
        ("因此,本题选A。", "A"),
        ("本题答案选择A。", "A"),
        ("【答案】A", "A"),
        ("在DNA中，答案是A", "A"),
        ("正确的选项字母是\\boxed{A}。", "A"),
        ("答案不是B。", None),
        ("不应选B。", None),
        ("答案是A和B。", None),
        ("答案是A，B。", None),
        ("B选项错误。", None),
        ("选项B错误", None),
        ("ＡＢ Ａ", None),
    ],
)
def test_letters_in_chinese(answer: str, letter: str | None) -> None:
    assert final_letter(answer) == letter


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        (r"\boxed{100}", 100),
        (r"$\boxed{100}$ and also $x=3$", 100),
        (r"\boxed{100.}", 100),
        (r"\boxed{073}", 73),
        (r"\boxed{1{,}000}", 1000),
        (r"\boxed{1,000}", 1000),
        (r"\boxed{m+n=100}", 100),
        (r"\boxed{100\text{ cm}}", 100),
        (r"\boxed{100^\circ}", 100),
        (r"\boxed{-7}", -7),
        (r"\boxed{99}, no: \boxed{100}", 100),
        (r"\boxed{\frac{1}{3}}. The answer is 4.", 4),
        (r"\boxed{\sqrt{100}}", None),
        (r"\boxed{\frac{1}{100}}", None),
        (r"\boxed{10^{2}}", None),
        (r"\boxed{25, 75}", None),
        (r"\boxed{2x}", None),
        ("The answer is 100.", 100),
        ("The answer is $100$.", 100),
        (r"The answer is \(100\).", 100),
        ("The answer is:\n$$100$$", 100),
        ("**Final answer: 100**", 100),
        ("**Answer**\n\n100", 100),
        ("答案是100。", 100),
        ("答案：100", 100),
        (r"$\boxed{\ 100\ }$", 100),
        ("The answer is 99. Wait, the answer is 100.", 100),
        ("**100**", 100),
        ("It is **100** for 3 of them.", 100),
        ("**m + n = 100**", 100),
        ("100", 100),
        ("$100$", 100),
        ("The answer is not 100.", None),
        ("The answer is 100/3.", None),
        ("The answer is 2 + 98.", None),
        ("The answer is 2**50.", None),
        ("The answer is 100 \\sqrt{2}.", None),
        ("The answer is 100, as 25 + 75 make it.", 100),
        ("There are 100 of them, in 3 rows.", None),
        ("**Step 1:** add.", None),
        ("I do not know.", None),
        ("", None),
    ],
)
def test_numbers(answer: str, number: float | None) -> None:
    assert final_number(answer) == number

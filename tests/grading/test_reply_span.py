"""What of a text is the model's own reply: not its thoughts, not the turns that it goes on to invent."""

import pytest

from lema.grading import grade
from lema.replies.reply_span import is_cut, reply_span

REPLY = "She has 10 apples left."


@pytest.mark.parametrize("before", [
    "<think>\nThe answer is 12.\n</think>\n\n", "So the answer is 12.</think>", "<thinking>#### 12</thinking>\n",
    "<reasoning>\\boxed{12}</reasoning>", "<|begin_of_thought|>The answer is 12.<|end_of_thought|>",
    "<|channel|>analysis<|message|>The answer is 12.<|end|><|start|>assistant<|channel|>final<|message|>",
    "<think>The answer is 12.</think><think>The answer is 13.</think>",
])
def test_what_was_thought_is_not_what_was_answered(before):
    for task in ("gsm8k", "math"):
        assert grade(before + REPLY, "10", task=task)[:2] == ("right", "10")
        assert grade(before + REPLY, "12", task=task).verdict == "wrong"


@pytest.mark.parametrize("behind", [
    "<|im_end|>\n<|im_start|>user\n", "</s>[INST] And 2+2? [/INST] ", "<end_of_turn>\n<start_of_turn>user\n",
    "<｜end▁of▁sentence｜>", "\n\n### Instruction:\nWhat is 2+2?\n\n### Response:\n", "\n\nInstruction: 2+2\n",
    "\n\nQuestion: What is 2+2?\n", "\n\nQ: 2+2?\n", "\n\nUser: 2+2?\nAssistant: ", "\n\nProblem 2: 2+2?\n",
    "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", "\n\nExercise 7: 2+2?\n",
])
def test_what_follows_another_turn_is_not_read(behind):
    for task in ("gsm8k", "math"):
        assert grade(f"The answer is 12.{behind}The answer is 4.", "12", task=task)[:2] == ("right", "12")


def test_a_thought_that_never_ends_has_no_reply():
    text = "<think>First 5, so the answer is 6."
    assert is_cut(text) and not is_cut(text + "</think>")
    for task in ("gsm8k", "math", "csqa", "text"):
        assert grade(text, "6", task=task) == ("truncated", None, "cut off")


def test_a_thought_without_a_reply_is_all_that_there_is():
    assert grade("<think>So the answer is 6.</think>\n", "6", task="gsm8k").verdict == "right"


def test_a_question_that_is_only_repeated_ends_nothing():
    text = "Sure, let us solve it.\n\n**Problem:** Ann has 3 nuts and 4 more.\n\nThe answer is 7."
    assert reply_span(text) == text
    assert reply_span("7 nuts.\n\nProblem: another") == "7 nuts.\n\n"


def test_a_less_than_sign_is_no_mark():
    for text in ("Since 3 < 5, the answer is 5.", "2 << 3\nA: 5", "<b>5</b>\n#### 5"):
        assert grade(text, "5", task="gsm8k").verdict == "right"

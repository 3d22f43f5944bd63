"""Any reply of a teacher, critic or student is read or refused: python tests/fuzz/replies.py --seconds 60

What is read of a correction names a step, says why and has steps; and every check gives its verdict on it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lema.checks import CHECK, Checked, failed
from lema.records import Correction, Question, from_row, to_row
from lema.replies import Unparsed, own_text, reply_span, split_steps
from lema.replies.correction import parse_correction
from lema.replies.judgements import parse_critique, parse_judgement
from lema.replies.one_step import parse_step
from lema.replies.rewrite import parse_rewrite
from lema.stages.evolve import draft_in
from lema.tasks import answers_to, find_task
from tests.fuzz.mutating import Target, main

CORRECTION = (b" Step 2.\nExplanation: The 3 pens were added, not taken away.\nCorrect Solution:\n{\n"
              b"Step 2: 15 - 3 = 12.\nStep 3: The answer is 12.\n}")
SEEDS = (
    CORRECTION, b"**Incorrect Step:** Step 1\n\n**Explanation:** It says 5 + 5 = 11.\n\n**Correct Solution:**\n"
    b"...\nStep 1: 5 + 5 = 10.\nThe answer is 10.",
    b'```json\n{"incorrect_step": 2, "explanation": "wrong sign", "correct_solution": ["12", "It is 12."]}\n```',
    b"<think>Let me see. Step 1 is fine.</think>\nStep 2 is wrong because 15 + 3 is not asked for.\nStep 2: 12",
    b"There are no errors in step 1. Conclusion: right", b"Critique: step 2 is incorrect. Conclusion: wrong [END]",
    b"Mistakes: the sum is off.\nCorrect Answer: 3 + 4 = 7\nThe answer is 7.",
    b"New question: Tom has 5 pens and buys 3. How many?\nSolution: 8", "Étape ２: 12 ÷ 4 = ３。".encode(),
    b"| Step | Verdict |\n|---|---|\n| 1 | correct |\n| 2 | incorrect |", b"Step 1: a\nStep 1: b\nStep 3: c", b"")
PIECES = (b"Step 2: ", b"Step 1", b"Explanation:", b"Correct Solution:", b"Incorrect Step:", b"{\n", b"\n}",
          b"...", b"The answer is 12.", b"**", b"\n\n", b"```", b"<think>", b"</think>", b"Conclusion: ",
          b"right", b"wrong", b"correct", b"<<15-3=12>>", b"15 + 3 = 18", b"\\boxed{", b"1. ", b"- ", b"# ", b"| ",
          b"no mistake", b"[END]")
MISTAKE = ("Sam has 15 pens.", "15 + 3 = 18.", "The answer is 18.")
QUESTION = Question(text="Sam has 15 pens and gives away 3. How many are left?", answer="12")
ANSWERS = answers_to(find_task("rows", {"train": "questions.jsonl"}), ())


def check(data: bytes) -> None:
    """Reads a reply in every way. AssertionError for a broken promise."""
    text = data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")
    for steps in (split_steps(text), split_steps(own_text(text))):
        assert steps is None or all(isinstance(step, str) for step in steps)
    for draft in (draft_in(text), reply_span(text), own_text(text)):
        assert isinstance(draft, str)
    parse_judgement(text)
    parse_critique(text)
    for reason in (True, False):
        parse_step(text, reason=reason)
    parse_rewrite(text)
    parsed = parse_correction(text)
    correction = Correction(question=QUESTION.id, path="p", model="m", reply=text, rejected="unreadable")
    if not isinstance(parsed, Unparsed):
        assert parsed.step >= 1 and parsed.explanation and parsed.steps, parsed
        correction = Correction(question=QUESTION.id, path="p", model="m", reply=text, step=parsed.step,
                                explanation=parsed.explanation, steps=parsed.steps,
                                first_number=parsed.first_number)
    checked = Checked.of(correction, MISTAKE, QUESTION, ANSWERS)
    assert set(failed(checked)) <= set(CHECK)
    back = from_row(Correction, to_row(checked.correction), "x:1")
    assert to_row(back) == to_row(checked.correction)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


TARGET = Target("replies", SEEDS, check, PIECES)

if __name__ == "__main__":
    main(TARGET)

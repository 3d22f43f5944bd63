"""What the check of the explanation loses of people's explanations, and what it catches of bad ones.

    python bench/explanations.py [DATA]

DATA is a folder with mistakes/*.jsonl and corrector_outputs/mr_gsm8k_evaluator_outputs.jsonl; `../shared/data` by
default. The bad ones are made of the good: put to another question of the same source or to another step of the
same path, or replaced by the answer, by nothing but blame and praise, or by a text that stands there already.
"""

import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from lema.checks import Checked
from lema.checks.explanation import explains_the_step
from lema.commands.judge_corrector.labelled import Labelled, read_labelled
from lema.records import Correction

ANSWERS = (
    "The answer should be {gold}.", "The correct answer is {gold}.", "It should be {gold}.",
    "The final answer is {gold}, not {said}.", "The correct final answer is {gold}.",
    "The answer is wrong; the right answer is {gold}.", "The result must be {gold} instead of {said}.",
    "The student got {said}, but the answer is {gold}.", "The right value is {gold}.", "The answer is {gold}.",
    "This is incorrect because the correct answer is {gold}.", "The solution should have ended with {gold}.",
    "We know that the answer is {gold}, so this step is wrong.", "The result is not {said}. It is {gold}.",
    "Since the correct answer is {gold}, this step must be incorrect.",
    "The expected answer is {gold} but the student wrote {said}.")
NOTHING = (
    "This step is wrong.", "This step is incorrect.", "Good try!", "Great job, but there is a mistake here.",
    "Nice work so far! This step has an error.", "The step contains an error.", "This is not correct.", "Wrong.",
    "The calculation is wrong.", "The calculation in this step is incorrect.", "There is a mistake in this step.",
    "The reasoning is flawed.", "The student made a mistake in this step.", "An error was made here.",
    "Incorrect.", "This step is incorrect because it is wrong.", "The step is where the error occurs.",
    "The logic is not right.",
    "The original solution is incorrect.", "The answer is incorrect.", "This step leads to a wrong result.",
    "Well done on the first steps, but this one is not right.", "Please check this step again.",
    "The final answer is not correct.")


def main(data: Path) -> None:
    labels = [label for path in sorted((data / "mistakes").glob("*.jsonl")) for label in read_labelled(path)
              if label.first_error and label.reason]
    for name, cases in people(labels):
        told(name, cases)
    for name, cases in evaluators(data, {label.id: label for label in labels}):
        told(name, cases)


def people(labels: list[Labelled]) -> Iterator[tuple[str, list[Checked]]]:
    """Explanations by people and what is made of them."""
    rng = random.Random(7)
    by_source: dict[str, list[Labelled]] = {}
    for label in labels:
        by_source.setdefault(label.source.split("/")[0], []).append(label)
    yield "good: people's", [case(label, label.reason) for label in labels]
    for name, some in by_source.items():
        yield f"  of these {name}", [case(label, label.reason) for label in some]
    yield "of another question", [case(label, other_of(rng, by_source[label.source.split("/")[0]], label).reason)
                                  for label in labels]
    for opening in ("Step {} is wrong: ", "In step {}, "):
        yield f'of another step, "{opening.format("N")}..."', [
            case(label, opening.format(label.first_error) + label.reason, step)
            for label in labels if (step := another_step(rng, label))]
    short = [label for label in labels if label.gold and len(label.gold) < 12]
    yield "states the answer", [
        case(label, ANSWERS[place % len(ANSWERS)].format(gold=label.gold, said=last_number(label)))
        for place, label in enumerate(rng.sample(short, 400))]
    yield "blame or praise alone", [case(label, NOTHING[place % len(NOTHING)])
                                    for place, label in enumerate(rng.sample(labels, 400))]
    yield "repeats the wrong step", [case(label, label.steps[label.first_error - 1]) for label in labels]
    yield "repeats the corrected step", [case(label, label.corrected_step) for label in labels
                                         if label.corrected_step]
    yield "repeats the question", [case(label, label.question) for label in labels]


def evaluators(data: Path, labels: dict[str, Labelled]) -> Iterator[tuple[str, list[Checked]]]:
    """Explanations by six models, those that GPT-4 called correct, and all of them put to another question."""
    rng = random.Random(3)
    lines = (data / "corrector_outputs/mr_gsm8k_evaluator_outputs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [(labels[row["solution_id"]], row) for row in map(json.loads, lines)]
    said = [(label, row["upstream_parse"]["error_reason"]) for label, row in rows]
    yield "good: models', called correct", [
        case(label, reason) for (label, reason), (_, row) in zip(said, rows, strict=True)
        if row["error_reason_correctness_by_gpt4"] == "correct"]
    pool = [label for label, _ in said]
    yield "models', of another question", [case(other_of(rng, pool, label), reason) for label, reason in said]


def case(label: Labelled, explanation: str, step: int | None = None) -> Checked:
    """This explanation as that of a correction of the label's first wrong step, or of another step."""
    steps = (label.corrected_step,) if label.corrected_step and not step else ()
    step = step or label.first_error
    correction = Correction(question="q", path="p", model="m", reply="r", step=step, first_number=step,
                            explanation=" ".join(explanation.split()), steps=steps)
    return Checked(correction, label.steps, label.question, label.gold, True)


def other_of(rng: random.Random, labels: list[Labelled], label: Labelled) -> Labelled:
    """One of `labels` that is about another question."""
    while (other := rng.choice(labels)).question == label.question:
        pass
    return other


def another_step(rng: random.Random, label: Labelled) -> int | None:
    others = [number for number in range(1, len(label.steps) + 1) if number != label.first_error]
    return rng.choice(others) if others else None


def last_number(label: Labelled) -> str:
    numbers = re.findall(r"-?\d+(?:\.\d+)?", label.steps[-1])
    return numbers[-1] if numbers else "that"


def told(name: str, cases: list[Checked]) -> None:
    out = sum(not explains_the_step(each) for each in cases)
    print(f"{name:34}  rejected {out:4} of {len(cases):5,} = {100 * out / len(cases):5.1f} %")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared/data"))

"""What the checks see of a step that is named too late, and what they refuse of right corrections.

    python bench/late.py [DATA]
    python bench/late.py --run RUN

DATA is a folder with questions/gsm8k_train.jsonl and corrector_outputs/; `../shared/data` by default. Every
planted correction names a step behind the first wrong one, and goes on from there with right steps to the right
answer, so that the answer check lets it pass. In the lab mistakes are planted by its own rules, in GSM8K's human
solutions into a calculation (another operand, another sign, a wrong result), and what follows is reckoned on
with the wrong value. Wrong answers behind right steps are counted apart. Of the solutions every second one is
kept back: the rules were written with a look at the others ("seen"). Of a run of the lab it is counted which
corrections of its first round are bad by the lab's own review, and which checks refuse them.
"""

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from lema.checks import CHECK, Checked
from lema.records import Correction, Question
from lema.replies import drop_calculator_marks, parse_correction, rejoin, split_steps
from lema.tasks import answers_to, find_task
from lema.tasks.lab import Settings, Task
from lema.tasks.lab.mistakes import plant
from lema.tasks.lab.problems import worked_steps
from lema.tasks.lab.review import review, steps_from
from lema.tasks.lab.wording import parse

CHECKS = ("earlier", "kept", "follows")
_MARK = re.compile(r"<<([^<>=]+)=([^<>]+)>>")
_PLAIN = re.compile(r"[0-9.+\-*/() ]+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WRITTEN = re.compile(r"[\d$.,+\-*/x×() ]+=\s?\$?$")
_RESULT = re.compile(r"^\$?[\d,]+(?:\.\d+)?")
_TURNED = {"+": "-", "-": "+", "*": "/", "/": "*"}


class Case:
    """A correction of a path, beside the question."""

    def __init__(self, kind: str, question: str, path: tuple[str, ...], step: int, steps: tuple[str, ...]) -> None:
        answer = steps[-1].rstrip(".").rpartition(" ")[2].replace("$", "")
        correction = Correction(question="q", path="p", model="m", reply="r", step=step, first_number=step,
                                steps=steps, explanation="", answer=answer)
        self.kind, self.checked = kind, Checked(correction, path, question, answer, True)

    @property
    def failed(self) -> list[str]:
        return [name for name in CHECKS if not CHECK[name].passes(self.checked)]


def of_the_lab(count: int) -> Iterator[Case]:
    draw = random.Random(5)
    for question in Task(Settings(seed=5, train=count, worked=0, dev=0, test=0)).questions("train"):
        problem = parse(question.text)
        wrong = plant(draw, problem)
        if wrong and wrong.mistake == "answer":
            yield Case("lab, wrong answer", question.text, wrong.steps, len(wrong.steps), wrong.steps[-1:])
        for step in range(wrong.step + 1, len(wrong.steps) + 1) if wrong else ():
            reached = [text.split(maxsplit=1)[0] for text in wrong.steps[:step - 1]]
            yield Case(f"lab, {wrong.mistake}", question.text, wrong.steps, step, steps_from(problem, reached))
        right = worked_steps(problem)
        yield from (Case("lab, right", question.text, right, step, right[step - 1:])
                    for step in range(2, len(right)))


def of_solutions(rows: list[dict], draw: random.Random) -> Iterator[Case]:
    for row in rows:
        worked, _, gold = row["answer"].rpartition("\n#### ")
        marked = [step for step in worked.split("\n") if step.strip()]
        right = (*map(drop_calculator_marks, marked), f"The answer is {gold.strip()}.")
        yield from (Case("right", row["question"], right, step, right[step - 1:])
                    for step in range(2, len(right)))
        yield Case("right, whole", row["question"], right, 1, right)
        other = f"The answer is {int(gold.replace(',', '')) + draw.choice((-3, -1, 1, 2, 7, 10))}."
        yield Case("wrong answer", row["question"], right, len(right), (other,))
        if len(marked) > 1 and (wrong := planted(row["question"], marked, draw)):
            kind, place, path = wrong
            step = draw.randrange(place + 2, len(marked) + 1)
            yield Case(kind, row["question"], (*path, right[-1]), step, right[step - 1:])


def planted(question: str, marked: list[str], draw: random.Random) -> tuple[str, int, list[str]] | None:
    """(kind, place, path without marks) with a mistake in one calculation, worked on with its value."""
    for _ in range(10):
        place, kind = draw.randrange(len(marked) - 1), draw.choice(("operand", "sign", "reckoning"))
        marks = list(_MARK.finditer(marked[place]))
        written = _WRITTEN.search(marked[place][:marks[0].start()]) if len(marks) == 1 else None
        changed = _changed(kind, marks[0][1], question, draw) if written else None
        value = _worth(changed) if changed else None
        if value is not None and kind == "reckoning":
            value += draw.choice((-2, -1, 1, 2, 10))
        if value is None or value <= 0 or value.denominator not in (1, 2, 4, 5, 10) or (
                value == _worth(marks[0][2].replace(",", ""))):
            continue
        behind = _RESULT.sub(_digits(value), marked[place][marks[0].end():], count=1)
        step = f"{marked[place][:written.start()]} {changed} = {behind}"
        later = _gone_on(marked[place + 1:], {marks[0][2].replace(",", ""): _digits(value)})
        if later is not None:
            return kind, place, [*map(drop_calculator_marks, marked[:place]), step, *later]
    return None


def _changed(kind: str, written: str, question: str, draw: random.Random) -> str | None:
    signs, numbers = [sign for sign in written if sign in _TURNED], _NUMBER.findall(written)
    if not _PLAIN.fullmatch(written) or not numbers or (kind == "sign" and len(signs) != 1):
        return None
    if kind == "sign":
        return written.replace(signs[0], _TURNED[signs[0]])
    if kind == "reckoning":
        return written
    old, others = draw.choice(numbers), re.findall(r"(?<![\d.,])\d{1,4}(?![\d.,])", question)
    other = draw.choice([*(n for n in others if n != old), str(draw.randint(2, 30))])
    return re.sub(rf"(?<![\d.]){re.escape(old)}(?![\d.])", other, written, count=1)


def _gone_on(marked: list[str], other: dict[str, str]) -> list[str] | None:
    """The later steps with the wrong values in the place of the right ones; None where they cannot be reckoned."""
    def swapped(text: str) -> str:
        for old, new in other.items():
            text = re.sub(rf"(?<![\d.,]){re.escape(old)}(?![\d.,]*\d)", new, text)
        return text

    steps = []
    for step in marked:
        marks = list(_MARK.finditer(step))
        if not marks:
            steps.append(swapped(step))
            continue
        value = _worth(swapped(marks[0][1])) if len(marks) == 1 else None
        if value is None:
            return None
        behind = _RESULT.sub(_digits(value), step[marks[0].end():], count=1)
        steps.append(swapped(step[:marks[0].start()]) + behind)
        if value != _worth(marks[0][2].replace(",", "")):
            other[marks[0][2].replace(",", "")] = _digits(value)
    return steps


def _worth(written: str) -> Fraction | None:
    """A plain calculation of the data's own marks, worked out."""
    if not _PLAIN.fullmatch(written):
        return None
    try:
        return Fraction(str(eval(written, {"__builtins__": {}}))).limit_denominator(10**6)
    except (SyntaxError, ZeroDivisionError, ValueError, TypeError):
        return None


def _digits(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else str(float(value))


def published(data: Path) -> Iterator[Case]:
    for line in (data / "corrector_outputs/lema_real_corrections.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        parsed = parse_correction(row["corrector_output"])
        if row["original_solution"] and getattr(parsed, "step", None):
            yield Case("published, right", row["question"], split_steps(row["original_solution"]), parsed.step,
                       parsed.steps)


def of_a_run(run: Path) -> None:
    """Real corrections of real mistakes, judged by the lab's review: another step named, or a path that is not
    right; the checks are asked without `repeat`, which depends on what came before."""
    def rows(name: str) -> list[dict]:
        return list(map(json.loads, (run / name / "rows.jsonl").read_text("utf-8").strip().split("\n")))

    questions, paths = ({row["id"]: row for row in rows(name)} for name in ("questions", "graded"))
    names = tuple(name for name in CHECK if name != "repeat")
    counts: Counter[tuple[str, bool]] = Counter()
    for row in rows("verified"):
        question, path = questions[row["question"]], split_steps(paths[row["path"]]["text"])
        if not row["steps"]:
            continue
        problem, steps = parse(question["text"]), tuple(row["steps"])
        fault = review(problem, path)
        bad = fault is None or fault.step != row["step"] or bool(review(problem, rejoin(path, row["step"], steps)))
        fields = {key: row[key] for key in ("step", "first_number", "explanation", "quote", "reply") if key in row}
        correction = Correction(question="q", path="p", model="m", steps=steps, **fields)
        checked = Checked.of(correction, path, Question(text=question["text"], answer=question["answer"]),
                             answers_to(find_task("lab", {}), ()))
        failed = [name for name in names if not CHECK[name].passes(checked)]
        counts.update((name, bad) for name in ("all", *failed, *(["any"] if failed else [])))
    for name in ("all", *names, "any"):
        if counts[name, True] or counts[name, False]:
            print(f"{name:12} bad {counts[name, True]:5}   good {counts[name, False]:5}")


def told(half: str, cases: Iterator[Case]) -> None:
    """A line for each kind: corrections, and how many each check refuses."""
    every: Counter[str] = Counter()
    refused: Counter[tuple[str, str]] = Counter()
    for case in cases:
        every[case.kind] += 1
        failed = case.failed
        refused.update((case.kind, name) for name in (*failed, *(["any"] if failed else [])))
    for kind, count in every.items():
        parts = "".join(f"{refused[kind, name]:8,}" for name in CHECKS)
        print(f"{half:5} {kind:20} {count:8,}{parts}{refused[kind, 'any']:8,}  "
              f"{100 * refused[kind, 'any'] / count:6.2f} %", flush=True)


def main(data: Path) -> None:
    print(f"{'half':5} {'kind':20} {'cases':>8}" + "".join(f"{name:>8}" for name in CHECKS) + f"{'any':>8}")
    told("", of_the_lab(1200))
    told("", published(data))
    rows = list(map(json.loads, (data / "questions/gsm8k_train.jsonl").read_text("utf-8").strip().split("\n")))
    for half, start in (("seen", 0), ("kept", 1)):
        told(half, of_solutions(rows[start::2], random.Random(3)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        sys.exit(of_a_run(Path(sys.argv[2])))
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared/data"))

"""`lema score`: how many predictions of a file are right, and where another grader disagrees.

One design decision: a question counts once however many texts answer it, its share of right ones, as everywhere in
lema; and what is not right is told apart: wrong, no answer, truncated, ungradable. Rows are judged one by one, and
of a text nine bytes are kept where it names its question; only disagreements are kept.
"""

import json
import math
from array import array
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, get_args

from lema.commands.score import official, peer
from lema.commands.score.abreast import judged
from lema.commands.score.predictions import Judge, Prediction, PredictionOptions, open_predictions
from lema.errors import ConfigError, DataError
from lema.grading import Grade
from lema.plugins import near_miss
from lema.printable import short
from lema.records import Verdict

VERDICTS = get_args(Verdict)
GRADERS = ("official", "math-verify")
_OFFICIAL = {"number": "gsm8k", "expression": "math", "choice": "csqa"}


@dataclass
class FileScore:
    """What one grader made of a file."""

    verdicts: Counter = field(default_factory=Counter)
    named: array = field(default_factory=lambda: array("q"))  # of each text the hash of its question ...
    right: bytearray = field(default_factory=bytearray)  # ... and whether it is right
    alone: list[int] = field(default_factory=lambda: [0, 0])  # right and all of the texts that name no question

    def add(self, question: str, verdict: str) -> None:
        """One more text."""
        self.verdicts[verdict] += 1
        if question:
            self.named.append(hash(question))
            self.right.append(verdict == "right")
        else:
            self.alone[0] += verdict == "right"
            self.alone[1] += 1

    def facts(self) -> dict:
        """Questions, accuracy, its 95 % Wilson interval over questions, and every verdict's count."""
        import numpy as np

        from lema.statistics import wilson

        _, place, judged = np.unique(np.frombuffer(self.named, np.int64), return_inverse=True, return_counts=True)
        shares = np.bincount(place, np.frombuffer(self.right, np.bool_), len(judged)) / judged
        questions, right = len(judged) + self.alone[1], math.fsum(shares) + self.alone[0]
        return {"questions": questions, "accuracy": right / questions, "interval": [*wilson(right, questions)],
                "verdicts": {name: self.verdicts[name] for name in VERDICTS}}


def _named(prediction: Prediction) -> dict:
    """A row for programs: where it stands and what it is held against."""
    return {"place": prediction.place, "question": prediction.question, "gold": prediction.gold}


def score_file(path: Path, options: PredictionOptions, *, against: str | None = None, out: Path | None = None,
               as_json: bool = False) -> str:
    """Judges every prediction of a file; with `against` also by that grader; with `out` writes a row for each."""
    file = path / "rows.jsonl" if path.is_dir() else path
    judge, predictions = open_predictions(file, options)
    rival = _rival(against, judge) if against else None
    ours, theirs = FileScore(), FileScore()
    both: Counter = Counter()
    differing: list[dict] = []
    with _opened(out) if out else nullcontext() as rows:
        for prediction, grade in judged(judge, predictions, file.stat().st_size):
            ours.add(prediction.question, grade.verdict)
            if rows:
                rows.write(json.dumps(_named(prediction) | grade._asdict()) + "\n")
            if rival is not None:
                other = rival(prediction)
                theirs.add(prediction.question, other.verdict)
                both[grade.verdict, other.verdict] += 1
                if (grade.verdict == "right") != (other.verdict == "right"):
                    differing.append({**_named(prediction), "ours": grade._asdict(), "theirs": other._asdict()})
    facts = {"file": str(path), "task": judge.name, "answers": ours.verdicts.total(), **ours.facts()}
    if rival is not None:
        facts["against"] = {"grader": against, **theirs.facts(), "agreed": facts["answers"] - len(differing),
                            "pairs": [[*pair, count] for pair, count in sorted(both.items())],
                            "disagreements": differing}
    return json.dumps(facts, indent=1) if as_json else _in_words(facts)


def _opened(path: Path) -> TextIO:
    """The file of verdicts; never over a file that is there."""
    try:
        return path.open("x", encoding="utf-8")
    except FileExistsError:
        raise ConfigError(f"{path}: already there; give another file with --out") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); give another file with --out") from None


def _rival(name: str, judge: Judge) -> Callable[[Prediction], Grade]:
    """The other grader, as a function of a prediction."""
    if name == "math-verify":
        return lambda row: peer.grade(row.text, row.gold)
    if name != "official":
        raise ConfigError(f"--against: no grader {name!r}{near_miss(name, list(GRADERS))}")
    task = _OFFICIAL.get(judge.kind, judge.kind)
    official.read("", task=task)  # refuses a task that it does not score, before anything is judged
    if task != "csqa":
        return lambda row: official.grade(row.text, row.gold, task=task)
    return lambda row: official.grade(row.text, row.gold.partition(") ")[2] or row.gold, task=task,
                                      candidates=row.choices)


def _in_words(facts: dict) -> str:
    many = f" to {facts['questions']:,} questions" if facts["questions"] != facts["answers"] else ""
    lines = [f"{facts['file']}: {facts['answers']:,} answers{many}, read as {facts['task']}",
             f"accuracy {_accuracy(facts)}", ""]
    for name, count in facts["verdicts"].items():
        lines.append(f"{name.replace('_', ' '):12} {count:9,} {count / facts['answers']:8.1%}")
    if other := facts.get("against"):
        lines += ["", f"{other['grader']}: accuracy {_accuracy(other)}",
                  f"both agree on right or not right in {other['agreed']:,} of {facts['answers']:,}"]
        for row in other["disagreements"]:
            lines.append(f"  {row['place']}  gold {short(row['gold'])}: lema {_grade(row['ours'])}, "
                         f"{other['grader']} {_grade(row['theirs'])}")
    return "\n".join(lines)


def _accuracy(facts: dict) -> str:
    low, high = facts["interval"]
    return f"{100 * facts['accuracy']:.1f} %, 95 % interval [{100 * low:.1f}, {100 * high:.1f}]"


def _grade(grade: dict) -> str:
    return f"{short(grade['verdict'].replace('_', ' '))} {short(grade['answer'])}"

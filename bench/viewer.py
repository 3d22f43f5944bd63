"""How fast `lema view` answers on a large run: the index once, then pages, filters, search and flips.

    python bench/viewer.py --rows 200000

A run is written by hand into a temporary folder (no model is asked), a real viewer is started on it, and every
page is asked for several times over HTTP. Printed are the seconds until the first page (which builds the index),
those of a second start (which finds it), and the slowest and the median milliseconds of each kind of page.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lema.records import Correction, Example, Question, ReasoningPath
from lema.runs.run import Stage
from tests.commands.view import made
from tests.commands.view.viewing import Viewer, viewing

PAGES = {
    "overview": "", "first page": "rows?stage=graded", "deep page": "rows?stage=graded&page={deep}",
    "one filter": "rows?stage=graded&verdict=wrong",
    "three filters": "rows?stage=graded&verdict=wrong&level=2&model=b",
    "filter and sort": "rows?stage=graded&verdict=wrong&sort=-tokens", "search": "rows?stage=graded&text=apples+7",
    "search of all": "rows?stage=graded&text=step",
    "search, filter": "rows?stage=graded&text=step&verdict=wrong", "flips": "flips?arm=lema&other=cot",
    "question": "question/{question}", "rating": "rate?stage=verified&rater=x&sample=50",
}
TIMES = 5


class Many(made.Hand):
    """Rows by the hundred thousand: `rows` graded paths, half of them wrong, a fifth of these corrected."""

    def __init__(self, rows: int) -> None:
        super().__init__("", 0)
        self.many, self.each = rows, 4
        self.questions = [self.question(number) for number in range(rows // self.each)]

    def question(self, number: int) -> Question:
        return Question(text=f"Leo has {number} apples and buys {number % 97} more. How many has Leo?",
                        answer=str(number + number % 97), level=number % 5 + 1, source=f"many:{number}")

    def paths(self, stage: Stage) -> Iterator[ReasoningPath]:
        examined = {"examined": ["student", "cot-1", "cot-2", "lema-1", "lema-2"]}
        models = examined.get(stage.name, ["a", "b", "c", "d"])
        if stage.name != "graded" and stage.name != "examined":
            return
        for number, question in enumerate(self.questions):
            for turn, model in enumerate(models):
                yield self.path(model, number, question, (number * 7 + turn * 3) % 10 < 5)

    def path(self, model: str, number: int, question: Question, right: bool) -> ReasoningPath:
        total = number + number % 97 + (not right)
        return ReasoningPath(
            question=question.id, model=model, answer=str(total), verdict="right" if right else "wrong",
            tokens=40 + number % 60,
            text=f"Step 1: Leo has {number} apples.\nStep 2: He buys {number % 97} apples.\n"
            f"Step 3: {number} + {number % 97} = {total}.\nStep 4: The answer is {total}.")

    def corrections(self, stage: Stage) -> Iterator[Correction]:
        for number, question in enumerate(self.questions[:: 3]):
            wrong = self.path("a", number, question, False)
            yield Correction(question=question.id, path=wrong.id, model="teacher",
                             reply=f"Step 3. {number}", step=3,
                             steps=("x = 1.", "The answer is 1."), verified=number % 4 > 0, tokens=50,
                             rejected="" if number % 4 else "wrong final answer")

    def examples(self, stage: Stage) -> Iterator[Example]:
        return iter(())


def timed(viewer: Viewer, path: str) -> list[float]:
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        status, text = viewer.ask(f"/{viewer.token}/{path}")
        seconds.append(1000 * (time.perf_counter() - started))
        assert status == 200, text[-500:]
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as place:
        made.Hand = lambda texts, questions: many
        many = Many(rows)
        run = made.run_by_hand(Path(place))
        question = many.questions[len(many.questions) // 2].id
    
        for start in ("first start (builds the index)", "second start"):
            began = time.perf_counter()
            with viewing(run) as viewer:
                timed_first = time.perf_counter()
                viewer.ask(f"/{viewer.token}/rows?stage=graded")
                print(f"{start}: {time.perf_counter() - began:.1f} s until the first row "
                      f"({1000 * (time.perf_counter() - timed_first):.0f} ms of them for the page)")
        with viewing(run) as viewer:
            for name, path in PAGES.items():
                each = timed(viewer, path.format(deep=rows // 50 - 2, question=question))
                print(f"{name:16} median {statistics.median(each):6.0f} ms   slowest {max(each):6.0f} ms")
        size = (run / "view.sqlite").stat().st_size / 2**20
        print(f"{rows:,} graded rows; the index has {size:,.0f} MiB")


if __name__ == "__main__":
    main()

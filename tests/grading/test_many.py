"""Many rows: the same grades, in order, streamed, whatever happens to a worker."""

import asyncio
import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from lema.errors import ConfigError
from lema.grading import Conventions, grade, grade_many
from lema.grading import many as many_module

pytestmark = pytest.mark.living

ROWS = [(f"So it is.\nThe answer is {n}.", str(n + (n % 3 == 0))) for n in range(5000)]


def test_worker_processes_give_the_grades_of_one_process_in_order():
    expected = [grade(text, gold, task="gsm8k") for text, gold in ROWS]
    assert list(grade_many(ROWS, task="gsm8k", workers=2)) == expected
    assert list(grade_many(ROWS, task="gsm8k", workers=0)) == expected


def test_rows_are_taken_only_as_fast_as_grades_are_wanted():
    taken = itertools.count()
    grades = grade_many(((text, str(next(taken))) for text, _ in itertools.cycle(ROWS)), workers=1)
    with contextlib.closing(grades):
        assert next(grades).verdict == "right"
        assert next(taken) <= 4 * many_module.BLOCK


def test_settings_reach_the_workers():
    rows = [("The answer is 10%.", "0.1")]
    assert [each.verdict for each in grade_many(rows, workers=1)] == ["right"]
    assert [each.verdict for each in grade_many(rows, workers=1, conventions=Conventions(percent="number"))
            ] == ["wrong"]
    with pytest.raises(ConfigError, match="'mth' to grade; .*did you mean 'math'"):
        grade_many(rows, task="mth")


@pytest.fixture
def worker():
    worker = many_module._Worker("math", Conventions(), "grade")
    yield worker
    worker.stop()


def test_a_worker_that_dies_costs_no_row(worker):
    assert [one.verdict for one in worker.grades([["5", "5"]])] == ["right"]
    worker._process.kill()
    worker._process.wait()
    assert [one.verdict for one in worker.grades([["5", "5"], ["6", "5"]])] == ["right", "wrong"]


def test_text_that_is_no_unicode_reaches_the_workers():
    rows = [("The answer is \ud800 5.\0", "5"), ("٥", "5")]
    assert list(grade_many(rows, workers=1)) == [grade(*row) for row in rows]


def test_threads_and_coroutines_grade_side_by_side():
    rows = [(f"\\boxed{{\\int_0^{n} 1 dx}}", f"{n}") if n % 5 == 0 else (f"\\boxed{{{n}x+x}}", f"{n + 1}x")
            for n in range(1, 31)]
    with ThreadPoolExecutor(8) as pool:
        assert [one.verdict for one in pool.map(lambda row: grade(*row), rows)] == ["right"] * 30

    async def several():
        return await asyncio.gather(*(asyncio.to_thread(grade, *row) for row in rows))

    assert {one.verdict for one in asyncio.run(several())} == {"right"}

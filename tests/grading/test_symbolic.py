"""The worker behind symbolic comparisons: killed at its limit, replaced, usable from threads, leaving nothing."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from lema.grading import GradingTimeout, same_symbolic
from lema.grading.symbolic import MathVerifyProcess
from tests.patience import in_a_moment
from tests.processes import ended

pytestmark = pytest.mark.living


@pytest.fixture
def worker():
    worker = MathVerifyProcess()
    yield worker
    worker.stop()


@pytest.mark.parametrize("tower", ["9^{9^{9^9}}", "(10^{9})!"])
def test_a_comparison_that_never_ends_is_given_up_at_the_limit(worker, tower):
    assert worker.ask("1", "1", 60)  # started
    with in_a_moment("a comparison with a limit"), pytest.raises(GradingTimeout):
        worker.ask(tower, "5", 0.5)
    assert worker.ask("\\frac{2}{4}", "\\frac{1}{2}", 60)


def test_a_worker_that_died_is_replaced(worker):
    assert worker.ask("1", "1", 60)
    worker._process.kill()
    worker._process.wait()
    assert worker.ask("2", "2", 60)


def test_threads_get_their_own_answers():
    pairs = [(f"\\sqrt{{{n * n}}}", str(n + n % 2)) for n in range(1, 21)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda pair: same_symbolic(*pair, limit_s=60), pairs))
    assert found == [n % 2 == 0 for n in range(1, 21)]


@pytest.mark.parametrize("text", ["\0", "\ud800", "{" * 300, "\\frac{", "", "\n", "yes\nyes"])
def test_what_cannot_be_parsed_is_not_equal(text):
    assert not same_symbolic(text, "5", limit_s=60)


def test_nothing_that_a_model_writes_is_executed(tmp_path):
    trace = tmp_path / "trace"
    for code in (f"__import__('os').system('touch {trace}')", f"open('{trace}','w')", "exit()"):
        assert not same_symbolic(code, "5", limit_s=60)
        assert not same_symbolic(f"\\text{{{code}}}", "5", limit_s=60)
    assert not trace.exists()


def test_the_worker_ends_with_its_parent():
    code = ("from lema.grading import symbolic; import os; symbolic.same_symbolic('1', '1', 60); "
            "print(symbolic._pool(os.getpid()).workers[0]._process.pid)")
    worker = int(ended([sys.executable, "-c", code], check=True).stdout)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)

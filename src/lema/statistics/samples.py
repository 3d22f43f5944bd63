"""Several answers to one question: how many tries find the right one, and what a vote makes of them.

One design decision: every figure is an expectation over which of the drawn answers are looked at, never one draw
of them, so that it does not change with their order.
"""

import math
from collections.abc import Sequence

import numpy as np


def pass_at(right: np.ndarray, answers: np.ndarray, tries: int) -> float:
    """The chance that at least one of `tries` answers is right, the mean over the questions. `right` of `answers`,
    both [questions], are right; unbiased (Chen et al., 2021, arXiv 2107.03374). ValueError where a question has
    fewer answers than tries."""
    right, answers = np.asarray(right, int), np.asarray(answers, int)
    if not 1 <= tries <= answers.min():
        raise ValueError(f"{tries} tries of {answers.min()} answers")
    chances: dict[tuple[int, int], float] = {}  # few pairs occur, however many questions there are
    total = 0.0
    for pair in zip(right.tolist(), answers.tolist(), strict=True):
        if pair not in chances:
            chances[pair] = 1 - math.comb(pair[1] - pair[0], tries) / math.comb(pair[1], tries)
        total += chances[pair]
    return total / len(right)


def tries_shown(answers: int) -> tuple[int, ...]:
    """1, 2, 4, ... and all of them: the tries that pass@k is said of."""
    powers = [2**power for power in range(answers.bit_length())]
    return tuple(dict.fromkeys([*powers, answers]))


def majority(right: int, others: Sequence[int]) -> float:
    """The chance that the answer with most votes is the right one, which has `right` of them; `others` are the
    votes of each wrong answer. Equally many votes: one of these answers is drawn."""
    most = max(right, *others, 0)
    return 1 / (1 + list(others).count(most)) if right == most > 0 else 0.0


def deviation_of_one_draw(right: np.ndarray, answers: np.ndarray) -> float | None:
    """The standard deviation of the accuracy when each question is answered once, at this temperature: the chance
    of sampling alone, the same questions and the same model. None where some question has a single answer."""
    right, answers = np.asarray(right, float), np.asarray(answers, float)
    if answers.min() < 2:
        return None
    share = right / answers
    variances = share * (1 - share) * answers / (answers - 1)  # unbiased, of one answer to each question
    return float(np.sqrt(variances.sum()) / len(share))

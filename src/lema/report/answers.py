"""The answers of an examination as shares of right ones, question by question, so that models can be paired.

One design decision: five bytes are kept of an answer and the id of a question once, so that many models on large
test sets can be compared; a question counts once, however many answers it was given.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable

import numpy as np


def by_question(answers: Iterable[tuple[str, str, bool]]) -> dict[str, np.ndarray]:
    """Of (model, question's id, whether right): each model's share of right answers, in the order of the
    questions' ids, which is the same for every model that was asked them all."""
    places: dict[str, int] = {}  # of a question among those that were met; its id is kept here only
    questions: dict[str, array] = defaultdict(lambda: array("I"))
    right: dict[str, bytearray] = defaultdict(bytearray)
    for model, question, is_right in answers:
        questions[model].append(places.setdefault(question, len(places)))
        right[model].append(is_right)
    ranks = np.empty(len(places), np.uint32)
    for rank, question in enumerate(sorted(places)):
        ranks[places[question]] = rank
    by_model = {}
    for model, flags in right.items():
        _, place, answered = np.unique(ranks[np.frombuffer(questions[model], np.uint32)], return_inverse=True,
                                       return_counts=True)
        by_model[model] = np.bincount(place, np.frombuffer(flags, np.bool_), len(answered)) / answered
    return by_model

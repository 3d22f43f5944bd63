"""The answers of an examination as right and wrong, question by question, so that models can be paired.

One design decision: five bytes are kept of an answer and the id of a question once, so that many models on large
test sets can be compared.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable

import numpy as np


def by_question(answers: Iterable[tuple[str, str, bool]]) -> dict[str, np.ndarray]:
    """Of (model, question's id, whether right): each model's answers, in the order of the questions' ids, which is
    the same for every model that was asked them all. Several answers to one question: the wrong ones first."""
    places: dict[str, int] = {}
    asked: dict[str, array] = defaultdict(lambda: array("I"))
    right: dict[str, bytearray] = defaultdict(bytearray)
    for model, question, is_right in answers:
        asked[model].append(places.setdefault(question, len(places)))
        right[model].append(is_right)
    ranks = np.empty(len(places), np.uint32)
    ranks[[places[question] for question in sorted(places)]] = np.arange(len(places), dtype=np.uint32)
    found = {}
    for model, several in right.items():
        rights = np.frombuffer(several, np.bool_)
        found[model] = rights[np.lexsort((rights, ranks[np.frombuffer(asked[model], np.uint32)]))]
    return found

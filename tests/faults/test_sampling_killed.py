"""The transformers backend broken off in mid-batch: one batch at most is computed again for each break.

Real kills of it are counted by sampling_killed.py beside this file; they take a minute, mostly to import torch.
"""

import random

import pytest

from lema.journal import Journal, complete
from lema.models import find_model
from lema.models.transformers import Model
from lema.records import Sampling
from tests import toys
from tests.answering import ask

BATCH = 25


class Broken(BaseException):
    """As a kill: nothing of ours catches it."""


class Paid(Model):
    """Counts what it computes and breaks off when its time has come."""

    computed, last = 0, 10**9

    def complete(self, requests):
        for completion in super().complete(requests):
            Paid.computed += 1
            if Paid.computed >= Paid.last:
                raise Broken
            yield completion


def test_broken_off_while_it_samples_it_computes_only_the_batch_in_flight_again(tmp_path):
    toys.model(tmp_path / "checkpoint")
    model = find_model("x", "transformers", {"path": str(tmp_path / "checkpoint"), "batch_size": BATCH})
    words = ["Leo", "Leo has", "Sam", "Leo and Sam has"]
    drawn = Sampling(temperature=1.0, max_tokens=12, seed=3)
    requests = [ask(words[i % 4], i // 4, drawn) for i in range(100)]
    with Journal(tmp_path / "alone") as journal:
        alone = list(complete(journal, model, requests))
    model.__class__, draw, breaks = Paid, random.Random(5), 4
    for _ in range(breaks):
        Paid.last = Paid.computed + draw.randrange(1, 40)
        with Journal(tmp_path / "broken") as journal, pytest.raises(Broken):
            list(complete(journal, model, requests))
    Paid.last = 10**9
    with Journal(tmp_path / "broken") as journal:
        assert list(complete(journal, model, requests)) == alone
    assert 100 <= Paid.computed <= 100 + breaks * BATCH

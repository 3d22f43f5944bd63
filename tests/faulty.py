"""Mixes of faults for the test server, drawn from the number of a request so that a run can be repeated.

One design decision: a mix is a table of shares; what is not in it is answered well.
"""

import random
from collections.abc import Callable, Mapping

from tests.server import (
    BAD_JSON,
    BROKEN,
    CUT,
    HANG,
    NO_CHOICES,
    ONE_CHOICE,
    TRICKLE,
    Fault,
    too_many,
)

THIRTY_PERCENT: Mapping[Fault, float] = {
    BROKEN: 0.07, Fault(status=503, body="<html>busy</html>"): 0.02, Fault(status=408): 0.01,
    Fault(status=409): 0.01,
    CUT: 0.05, BAD_JSON: 0.04, NO_CHOICES: 0.04, ONE_CHOICE: 0.02, Fault(choices=3): 0.01,
    too_many("0"): 0.014, too_many("0.2"): 0.002, too_many(): 0.001, HANG: 0.007, TRICKLE: 0.006}
"""Every way that an endpoint is known to fail in, together 30 of 100 requests."""


def mixed(shares: Mapping[Fault, float], seed: int) -> Callable[[int, dict], Fault | None]:
    """How the n-th request fails, by chance but always the same for the same seed."""
    faults, weights = list(shares), list(shares.values())

    def fault(number: int, body: dict) -> Fault | None:
        draw = random.Random(seed * 1_000_003 + number)
        return draw.choices(faults, weights)[0] if draw.random() < sum(weights) else None
    return fault

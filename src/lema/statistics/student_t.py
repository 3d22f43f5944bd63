"""Student's t: tails and quantiles, for any positive degrees of freedom.

One design decision: mpmath has the incomplete beta function, and is imported by whoever compares arms alone; so a
laptop without scipy reads a run as a cluster does.
"""

import math
from functools import cache
from statistics import NormalDist

FEW_DIGITS, FEW_DIGITS_REACH = 35, 1e-18  # enough, at a tenth of the time, for tails that are larger
TAIL_DIGITS = 150  # a tail of 1e-100 is what is left when nearly 1 is taken from 1
STEPS_TO_A_QUANTILE = 100  # some five are taken, more only far out in the tail of one degree of freedom


@cache
def t_quantile(probability: float, freedom: float) -> float:
    """Student's t: the value that `probability` of the distribution lies below, to 1e-10."""
    if not 0 < probability < 1 or freedom < 1:
        raise ValueError(f"no t quantile for probability {probability}, {freedom} degrees of freedom")
    if probability <= 0.5:
        return -t_quantile(1 - probability, freedom) if probability < 0.5 else 0.0
    # Newton's steps from the normal quantile, on the logarithm of the tail, which is concave: they never overshoot
    tail, value = math.log1p(-probability), NormalDist().inv_cdf(probability)
    for _ in range(STEPS_TO_A_QUANTILE):
        reached = t_tail(value, freedom)
        step = (math.log(reached) - tail) * reached / _t_density(value, freedom)
        value = max(value + step, value / 2)
        if abs(step) <= 1e-14 * value:
            break
    return value


def _t_density(value: float, freedom: float) -> float:
    """Student's t: the density at `value`."""
    scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(scale - (freedom + 1) / 2 * math.log1p(value * value / freedom))


def t_tail(value: float, freedom: float) -> float:
    """Student's t: the probability above `value`, which must not be negative."""
    from mpmath import MPContext  # only whoever compares arms pays for its import

    context = MPContext()  # a new one: while it works it changes its own precision, under other threads too
    for digits in (FEW_DIGITS, TAIL_DIGITS):
        context.dps = digits
        square = context.mpf(value) ** 2
        # I_x(1/2, n/2) from x to 1; the other form, from 0 to n / (n + t²), does not converge where n is large
        tail = float(context.betainc(0.5, freedom / 2, square / (freedom + square), 1, regularized=True) / 2)
        if tail > FEW_DIGITS_REACH:
            break
    return tail

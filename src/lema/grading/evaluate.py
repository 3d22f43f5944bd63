"""The value of a formula's tree, within bounds: exact where it is rational, else to 40 digits.

One design decision: nothing is computed whose size was not bounded before; what would be too large is
`Undecided`, so that a tower of powers costs as little as a sum.
"""

import math
import threading
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

DIGITS = 40  # digits of what is not rational
MOST_BITS = 100_000  # bits of an exact number
LARGEST_FACTORIAL = 3000
LARGEST_EXPONENT = 10**6  # binary exponent of a number that is not exact
Value = Any  # Fraction, or mpmath's real or complex number

_local = threading.local()


class Undecided(Exception):
    """The value cannot be had, or not within the bounds."""


def value(tree: tuple, names: Mapping[str, Value]) -> Value:
    """The value of the tree where `names` have theirs. Raises Undecided.

    The name "log" is the base of a logarithm that is written without one (missing: natural).
    """
    try:
        return _value(tree, names)
    except (ArithmeticError, ValueError, TypeError) as error:  # poles and their like
        raise Undecided(str(error)) from None


def _value(tree: tuple, names: Mapping[str, Value]) -> Value:
    kind = tree[0]
    if kind == "num":
        return tree[1]
    if kind == "sym":
        if tree[1] not in names:
            raise Undecided(tree[1])
        return names[tree[1]]
    if kind == "const":
        return _constant(tree[1])
    if kind in _UNARY:
        return bounded(_UNARY[kind](_value(tree[1], names)))
    if kind in _BINARY:
        return bounded(_BINARY[kind](_value(tree[1], names), _value(tree[2], names)))
    if kind == "fn":
        return bounded(_function(tree, names))
    if kind == "based":
        return _based(tree[1], tree[2])
    raise Undecided(kind)


def bounded(number: Value) -> Value:
    """The number itself. Raises Undecided where it is too large to go on with, infinite or undefined."""
    if isinstance(number, Fraction):
        if bits_of(number) > MOST_BITS:
            raise Undecided("too large")
        return number
    mp = context()
    if not mp.isfinite(number) or (number and abs(mp.mag(number)) > LARGEST_EXPONENT):
        raise Undecided("too large")
    return number


def context() -> Any:
    """This thread's own mpmath context: its precision must not change under another thread's work."""
    if not hasattr(_local, "mp"):
        from mpmath import MPContext

        _local.mp = MPContext()
        _local.mp.dps = DIGITS
    return _local.mp


def real(number: Value) -> Value:
    """A Fraction as one of mpmath's numbers; those as they are."""
    if isinstance(number, Fraction):
        mp = context()
        return mp.mpf(number.numerator) / number.denominator
    return number


def is_real(number: Value) -> bool:
    """Whether the number has no imaginary part."""
    return isinstance(number, Fraction) or not number.imag or abs(number.imag) < 1e-30 * abs(number.real)


def _constant(name: str) -> Value:
    mp = context()
    if name == "inf":
        raise Undecided("infinity")
    return {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}[name]


def _both(exact: Callable, a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return exact(a, b)
    return exact(real(a), real(b))


def _divided(a: Value, b: Value) -> Value:
    if not b:
        raise Undecided("division by zero")
    return _both(lambda x, y: x / y, a, b)


def _power(base: Value, raised: Value) -> Value:
    if isinstance(base, Fraction) and isinstance(raised, Fraction):
        if raised.denominator == 1:
            return _whole_power(base, raised.numerator)
        if raised.denominator < 100 and abs(raised.numerator) < 100:
            return _power(root(base, raised.denominator), Fraction(raised.numerator))
    mp = context()
    base, raised = real(base), real(raised)
    if not base:
        raise Undecided("a power of zero")
    if abs(mp.mag(raised)) > 40 or abs(raised) * (1 + abs(mp.mag(base))) > LARGEST_EXPONENT:
        raise Undecided("too large")
    return mp.power(base, raised)


def _whole_power(base: Fraction, raised: int) -> Fraction:
    if not base and raised <= 0:
        raise Undecided("a power of zero")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and bits * abs(raised) > MOST_BITS:
        raise Undecided("too large")
    return base ** (raised if abs(base) != 1 else raised % 2)


def root(of: Value, degree: int) -> Value:
    """The real root where there is one, exact where it is rational; else the principal complex one."""
    if not 1 <= degree < 100:
        raise Undecided("degree of a root")
    mp = context()
    if isinstance(of, Fraction):
        small = degree == 2 and of >= 0 and of.numerator.bit_length() < 2000
        if small and (exact := exact_root(of)) is not None:
            return exact
        of = real(of)
    if degree % 2 and is_real(of) and of.real < 0:
        return -mp.root(-of.real, degree)
    return mp.root(of, degree)


def exact_root(of: Fraction) -> Fraction | None:
    """The square root of a positive number, where it is rational."""
    upper, lower = math.isqrt(of.numerator), math.isqrt(of.denominator)
    return Fraction(upper, lower) if upper * upper == of.numerator and lower * lower == of.denominator else None


def bits_of(number: Fraction) -> int:
    """How much room an exact number takes: what every bound on arithmetic is about."""
    return number.numerator.bit_length() + number.denominator.bit_length()


def _factorial(of: Value) -> Value:
    if isinstance(of, Fraction) and of.denominator == 1:
        if not 0 <= of <= LARGEST_FACTORIAL:
            raise Undecided("factorial")
        return Fraction(math.factorial(of.numerator))
    return context().gamma(_small(of) + 1)


def _binomial(n: Value, k: Value) -> Value:
    if isinstance(n, Fraction) and isinstance(k, Fraction) and n.denominator == k.denominator == 1:
        if not 0 <= k <= n <= 2 * LARGEST_FACTORIAL:
            raise Undecided("binomial")
        return Fraction(math.comb(n.numerator, k.numerator))
    return context().binomial(_small(n), _small(k))


def _small(number: Value) -> Value:
    if abs(number) > 1000:
        raise Undecided("too large")
    return real(number)


def _based(digits: str, base: int) -> Fraction:
    whole, _, decimals = digits.partition(".")
    try:
        return Fraction(int(whole + decimals, base), base ** len(decimals))
    except ValueError:
        raise Undecided("digits of another base") from None


def _function(tree: tuple, names: Mapping[str, Value]) -> Value:
    _, name, first, second = tree
    of = _value(first, names)
    other = _value(second, names) if second is not None else None
    if name == "root":
        degree = Fraction(2) if other is None else other
        if not isinstance(degree, Fraction) or degree.denominator != 1:
            return _power(of, 1 / real(degree))
        return root(of, degree.numerator)
    if name == "cbrt":
        return root(of, 3)
    if name == "cis":
        return context().expj(real(of))
    if name == "binom":
        return _binomial(of, other)
    if name in ("abs", "floor", "ceil"):
        return _rounded(name, of)
    if name in ("log", "ln", "lg"):
        base = other if other is not None else {"lg": Fraction(10), "log": names.get("log")}.get(name)
        return _logarithm(of, base)
    return _transcendental(name, real(of))


def _rounded(name: str, of: Value) -> Value:
    if name == "abs":
        return abs(of)
    if not is_real(of):
        raise Undecided(name)
    if isinstance(of, Fraction):
        return Fraction(math.floor(of) if name == "floor" else math.ceil(of))
    if abs(of) > 10**30:
        raise Undecided(name)
    near = context().nint(of.real)  # a whole number that rounding has missed by a hair
    if abs(of.real - near) < 1e-30:
        return Fraction(int(near))
    return Fraction(int(context().floor(of.real) if name == "floor" else context().ceil(of.real)))


def _logarithm(of: Value, base: Value | None) -> Value:
    mp = context()
    if not of or (base is not None and (not base or base == 1)):
        raise Undecided("logarithm")
    natural = mp.log(real(of))
    return natural if base is None else natural / mp.log(real(base))


def _transcendental(name: str, of: Value) -> Value:
    mp = context()
    if of and mp.mag(of) > (19 if name in ("exp", "sinh", "cosh", "tanh") else 100):
        raise Undecided("too large")
    name = {"cosec": "csc", "arccot": "acot"}.get(name, name)
    name = "a" + name[3:] if name.startswith("arc") else name
    if name not in _TRANSCENDENTAL:
        raise Undecided(name)
    return getattr(mp, name)(of)


_TRANSCENDENTAL = frozenset((
    "sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "acot", "asec", "acsc", "sinh", "cosh",
    "tanh", "asinh", "acosh", "atanh", "exp"))
_UNARY = {
    "neg": lambda a: -a, "pct": lambda a: _divided(a, Fraction(100)), "fact": _factorial,
    "deg": lambda a: real(a) * context().pi / 180}
_BINARY = {
    "add": lambda a, b: _both(lambda x, y: x + y, a, b), "mul": lambda a, b: _both(lambda x, y: x * y, a, b),
    "div": _divided, "pow": _power}

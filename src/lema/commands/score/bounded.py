"""Python's arithmetic on plain numbers, without Python: what `eval` would give, within bounds.

One design decision: the text is parsed by Python's own parser, so that precedence, comments and number forms are
exactly its own, and only literals and operators are then worked out, here, on values of bounded size. Nothing
that has a name can be reached: no variables, calls or attributes.
"""

import ast
import operator

LONGEST = 2000  # characters of an expression; a longer one is refused
DEEPEST = 500  # operators inside each other
MOST_BITS = 40_000
"""Bits of a whole number; far beyond any float, so that what is refused could only have overflowed."""

_PLAIN = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
          ast.BitOr: operator.or_, ast.BitXor: operator.xor, ast.BitAnd: operator.and_,
          ast.RShift: operator.rshift}
_UNARY = {ast.UAdd: operator.pos, ast.USub: operator.neg, ast.Invert: operator.invert, ast.Not: operator.not_}
_COMPARED = {ast.Lt: operator.lt, ast.Gt: operator.gt, ast.LtE: operator.le, ast.GtE: operator.ge,
             ast.Eq: operator.eq, ast.NotEq: operator.ne}
_SEVERAL = {ast.List: list, ast.Tuple: tuple, ast.Set: set}


class NotArithmetic(ValueError):
    """No arithmetic, wrong arithmetic (1/0), or too large to be worked out."""


def evaluate(text: str) -> object:
    """The value that Python gives to an expression of literals and operators; else raises NotArithmetic."""
    if len(text) > LONGEST:
        raise NotArithmetic("too long")
    if "'" in text.partition("#")[0] and "\\" in text:
        raise NotArithmetic("an escape in a text")  # the parser would warn, and warnings are not safe in threads
    try:
        return _value(ast.parse(text.lstrip(" \t"), mode="eval").body, DEEPEST)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, MemoryError,
            RecursionError) as error:
        raise NotArithmetic(str(error)) from None


def _value(node: ast.expr, room: int) -> object:
    if room == 0:
        raise NotArithmetic("too deep")
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return _UNARY[type(node.op)](_value(node.operand, room - 1))
    if isinstance(node, ast.BinOp):
        return _binary(node.op, _value(node.left, room - 1), _value(node.right, room - 1))
    if isinstance(node, ast.Compare):
        return _compared(node, room - 1)
    if type(node) in _SEVERAL:
        return _SEVERAL[type(node)](_value(item, room - 1) for item in node.elts)
    if isinstance(node, ast.Subscript):
        return _value(node.value, room - 1)[_value(node.slice, room - 1)]
    raise NotArithmetic(f"{type(node).__name__} is no arithmetic")


def _compared(node: ast.Compare, room: int) -> object:
    left = _value(node.left, room)
    result: object = True
    for operation, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, room)
        result = _COMPARED[type(operation)](left, right)
        if not result:
            return result
        left = right
    return result


def _binary(operation: ast.operator, left: object, right: object) -> object:
    kind = type(operation)
    if kind in _PLAIN:
        return _PLAIN[kind](left, right)
    if kind is ast.Mod:
        return _numbers(left, right) and left % right
    if kind is ast.Mult:
        return _product(left, right)
    _numbers(left, right)
    if kind is ast.LShift:
        return _whole(left) << _small(right, MOST_BITS)
    if kind is ast.Pow:
        return _power(left, right)
    raise NotArithmetic(f"{kind.__name__} is no arithmetic")


def _product(left: object, right: object) -> object:
    for several, times in ((left, right), (right, left)):
        if isinstance(several, str | list | tuple):
            return several * min(_small(times, LONGEST), LONGEST)
    if isinstance(left, int) and isinstance(right, int):
        _fits(left.bit_length() + right.bit_length())
    return left * right


def _power(left: object, right: object) -> object:
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        _fits(left.bit_length() * right if left not in (-1, 0, 1) else 0)
    if isinstance(left, int) and isinstance(right, int) and abs(right) > 10**300:
        raise NotArithmetic("too large")
    return left ** right


def _numbers(left: object, right: object) -> bool:
    """Both must be numbers: a format string is no arithmetic."""
    if not isinstance(left, int | float | complex) or not isinstance(right, int | float | complex):
        raise NotArithmetic("no number")
    return True


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise NotArithmetic("no whole number")
    return value


def _small(value: object, most: int) -> int:
    if _whole(value) > most:
        raise NotArithmetic("too large")
    return value


def _fits(bits: int) -> None:
    if bits > MOST_BITS:
        raise NotArithmetic("too large")

"""The Levenshtein distance between a reply and a candidate, however long the reply.

One design decision: the longer text lies in the bits of one integer and the shorter one is walked through (Myers
1999, in Hyyrö's form), so that a reply of a megabyte against a candidate of a few words is some dozens of
operations on long integers and no table.
"""


def distance(first: str, second: str) -> int:
    """How many characters must be inserted, deleted or substituted to make one text of the other; each costs one,
    case counts, and so do spaces."""
    long, short = (first, second) if len(first) >= len(second) else (second, first)
    if not short:
        return len(long)
    places = {character: _bits(long, character) for character in set(short)}
    every = (1 << len(long)) - 1
    last = 1 << (len(long) - 1)
    plus, minus, apart = every, 0, len(long)
    for character in short:
        same = places[character]
        diagonal = (((same & plus) + plus) ^ plus) | same | minus
        up, down = minus | ~(diagonal | plus) & every, plus & diagonal
        apart += bool(up & last) - bool(down & last)
        up = (up << 1 | 1) & every
        plus, minus = (down << 1 | ~(diagonal | up)) & every, up & diagonal
    return apart


def _bits(text: str, character: str) -> int:
    """Bit i is set where the i-th character of the text is this one."""
    marks = bytearray(b"0") * len(text)
    at = text.find(character)
    while at >= 0:
        marks[-1 - at] = 49
        at = text.find(character, at + 1)
    return int(marks, 2)

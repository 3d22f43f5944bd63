"""The value that a text ends with, where it states no answer: bold, a formula, a number.

One design decision: only the end of a text is looked at, and it is cut once into formulas, bold words and
numbers; the last of them that can be an answer is taken, with those that "and" joins to it.
"""

import re

from lema.grading.numbers import NUMBER, read_value
from lema.grading.plain import undressed

END = 3000
"""Characters from the end back in which a last formula is looked for."""

WHOLE = 300
"""Characters of a text that may be nothing but an answer."""

_BOLD = re.compile(r"\*\*([^*\n]{1,120})\*\*(?!\s{0,2}\n?:)")
_PIECE = re.compile(
    r"(?P<formula>\$\$.{1,600}?\$\$|\\\[.{1,600}?\\\]|\\\(.{1,600}?\\\)|(?<!\\)\$(?:[^$\n\\]|\\.){1,600}\$)|(?P<number>"
    + NUMBER.pattern + r")(?P<unit>\s?\\?%|\s?percent(?:age)?\b)?", re.S)
_MONEY = re.compile(r"\$ ?[0-9][0-9,]*(?:\.[0-9]+)?(?=[\s.,;!?)]+[A-Za-z(]|[\s.,;!?)]*$)")
_IS = re.compile(r"\b(?:is|equals|be)\b:?\s*$")
_JOINT = re.compile(r"\s*(?:,|;|and|or|, and|, or|,? ?\\text\{ ?(?:and|or) ?\})\s*")
_NAME = re.compile(r"[\s$\\()\[\]]*\\?[A-Za-z]{1,7}(?:_\{?[A-Za-z0-9]+\}?|\([A-Za-z]\)|')?[\s$\\()\[\]]*")
_WORDS = re.compile(r"\?|(?<![\\A-Za-z{])[A-Za-z]{3,} [A-Za-z]{3,}(?![A-Za-z ]*\})")
_SAYS = re.compile(r"[0-9A-Za-z\\]")
_HEADING = re.compile(r"(?:step|case|part|method|example|equation)\s*$", re.I)
_SIDE = re.compile(r"(?:&\s*)?=(?!=)")
_ROW = re.compile(r"\\(?:begin|end)\{(?:align|aligned|gather|equation|split)\*?\}")


def last_number(text: str) -> tuple[str | None, str]:
    """The bold number of the last paragraph, else the last number of the text, and which of the two it is."""
    if "**" in text and (bold := _bold(text)) is not None:
        return bold, "bold"
    last = None
    for token in NUMBER.finditer(text):
        if text[max(0, token.start() - 5):token.start()].lower() != "step ":
            last = token
    return (last[0].strip(), "last value") if last else (None, "none")


def last_formula(text: str) -> tuple[str | None, str]:
    """The text where it is one formula; else what is bold in its last paragraph; else its last value."""
    from lema.grading.compare import readings

    short = len(text) <= WHOLE and "\n\n" not in text.strip() and not _WORDS.search(text)
    if short and (read_value(text) is not None or (_SAYS.search(undressed(text)) and readings(undressed(text)))):
        return text.strip(), "whole"
    if "**" in text and (bold := _bold(text)) is not None:
        return bold, "bold"
    found = last_group(text[-END:])
    return (found, "last value") if found is not None else (None, "none")


def last_group(end: str, only: str = "") -> str | None:
    """The last formula or number (`only` "formula": formulas alone) with those that "and" joins to it."""
    found = [piece for piece in _pieces(end) if piece[3] or not only]
    if not found:
        return None
    answer, stop = found[-1][0], found[-1][1]
    for piece, start, finish, is_formula in reversed(found[:-1]):
        if not (is_formula and found[-1][3]) or not _JOINT.fullmatch(end, finish, stop):
            break
        answer, stop = f"{piece}, {answer}", start
    return answer


def _bold(text: str) -> str | None:
    """The last bold value of the last paragraph; a bold heading is none."""
    paragraph = text.rstrip().rpartition("\n\n")[2][-END:]
    for found in reversed(list(_BOLD.finditer(paragraph))):
        inside = found[1].strip()
        if not inside.endswith(":") and read_value(inside) is not None:
            return inside
    return None


def _pieces(text: str) -> list[tuple[str, int, int, bool]]:
    """(answer, start, end, is a formula) of all that can be an answer."""
    found = []
    at = 0
    while piece := _PIECE.search(text, at):
        start, at = piece.span()
        if piece["formula"] and (money := _MONEY.match(text, start)) and not _is_formula(piece[0]):
            at = money.end()
            found.append((money[0], start, at, False))
        elif piece["formula"]:
            answer = _side(piece[0], bool(_IS.search(text, max(0, start - 12), start)))
            if answer is not None:
                found.append((answer, start, at, True))
            elif piece[0][0] == "$":  # two sums of money, and no formula between their signs
                at = start + 1
        elif not _HEADING.search(text, max(0, start - 12), start):
            found.append((piece[0].strip(), start, at, False))
    return found


def _is_formula(text: str) -> bool:
    from lema.grading.compare import readings

    return bool(readings(undressed(text)))


def _side(formula: str, named: bool) -> str | None:
    """The last side of the formula's equations; None where it is only a name, and no "is" makes it a value."""
    if _WORDS.search(formula) or (not named and _NAME.fullmatch(formula)):
        return None
    inside = _ROW.sub(" ", formula.strip("$ \n").removeprefix("\\(").removeprefix("\\[").removesuffix("\\)")
                      .removesuffix("\\]")).strip()
    if "\\begin" in inside:
        return inside or None
    sides = _SIDE.split(inside)
    side = inside if len(sides) == 2 and len(sides[0]) < 40 else sides[-1]
    return side.strip(" &\n").rstrip(" .,").removesuffix("\\\\").strip() or None

"""The value that a text ends with, where it states no answer: bold, a formula, a number.

One design decision: only the end of a text is looked at, and it is cut once into formulas, bold words and
numbers; the last of them that can be an answer is taken, with those that "and" joins to it.
"""

import re

from lema.grading.clauses import SAID, rank
from lema.grading.compare import readings
from lema.grading.continued import ends_in_nothing
from lema.grading.normalize import normalized
from lema.grading.number_words import words_said
from lema.grading.numbers import NUMBER, read_value
from lema.grading.prose import last_sentence, number_said

END = 3000  # characters from the end back in which a last formula is looked for
WHOLE = 300  # characters of a text that may be nothing but an answer
_BOLD = re.compile(r"\*\*([^*\n]{1,120})\*\*(?!\s{0,2}\n?:)")
_PIECE = re.compile(
    r"(?P<formula>\\begin\{(?:align|gather|equation|eqnarray|split|multline)(?:ed)?\*?\}.{1,2000}?"
    r"\\end\{(?:align|gather|equation|eqnarray|split|multline)(?:ed)?\*?\}|\$\$.{1,600}?\$\$|\\\[.{1,600}?\\\]"
    r"|\\\(.{1,600}?\\\)|(?<!\\)\$(?:[^$\n\\]|\\.){1,600}\$)"
    r"|(?P<number>" + NUMBER.pattern + r")(?P<unit>\s?\\?%|\s?percent(?:age)?\b)?", re.S)
_PLAIN = re.compile(
    r"(?<![\w)\]}^])(?:[([] ?-?[0-9][0-9 ,./√π+-]{0,60}, ?[0-9 ,./√π+-]{1,60} ?[)\]]"
    r"|[-−]?(?:[0-9]+(?:\.[0-9]+)? ?\*? ?)?(?:(?:√|sqrt) ?(?:[0-9]+|\([0-9a-z+* -]{1,30}\))"
    r"|π)(?: ?/ ?[0-9]+)?)(?!\w)")
"""A pair, a root or a multiple of pi outside of any formula."""

_CHECK = re.compile(
    r"\n[\s#*_]{0,8}(?:verification|verify|check(?:ing)?|note|remark|explanation|p\.s)\b[^\n:.]{0,40}[:.*]", re.I)
_CONCLUDES = re.compile(r"\s*(?:thus|therefore|hence|so)\b", re.I)
_DRAWING = re.compile(r"\[asy\].*?(?:\[/asy\]|\Z)", re.S)
_END_OF_PROOF = frozenset(("\\blacksquare", "\\square", "\\Box", "\\qed", "\\boxed{}"))
_SENTENCE = re.compile(r"[.!?](?:\s|\Z)|\n|\$\$|\\\]")
_ABOUT = re.compile(
    r"[\s,(]{0,4}(?:or|i\.e\.,?|which is|that is)?,? ?(?:about|approximately|roughly|approx\.?|≈|\\approx) ?\$?")
_EITHER = re.compile(r"\b(?:and|or)\b")
_ASSIGNED = re.compile(r"[,;]\s*(?:\\[ ,;:]|\\q?quad|\s)*[A-Za-z][A-Za-z_0-9]{0,3}\s?=")
_MONEY = re.compile(r"\$ ?[0-9][0-9,]*(?:\.[0-9]+)?(?=[\s.,;!?)]+[A-Za-z(]|[\s.,;!?)]*$)")
_IS = re.compile(r"\b(?:is|equals|be)\b:?\s*$")
_JOINT = re.compile(r"\s*(?:,|;|and|or|, and|, or|,? ?\\text\{ ?(?:and|or) ?\})\s*")
_NAME = re.compile(r"[\s$\\()\[\]]*\\?[A-Za-z]{1,7}(?:_\{?[A-Za-z0-9]+\}?|\([A-Za-z]\)|')?[\s$\\()\[\]]*")
_WORDS = re.compile(r"\?|(?<![\\A-Za-z{])[A-Za-z]{3,} [A-Za-z]{3,}(?![A-Za-z ]*\})")
_SAYS = re.compile(r"[0-9A-Za-z\\]")
_HEADING = re.compile(r"(?:step|case|part|method|example|equation)\s*$", re.I)
_SIDE = re.compile(r"(?:&\s*)?(?<![!<>])=(?!=)")
_ROW = re.compile(r"\\(?:begin|end)\{(?:align|gather|equation|eqnarray|split|multline)(?:ed)?\*?\}")
_FACTORIAL = re.compile(r"(?<=[0-9)])\s?!=")
_FORMULA = re.compile(r"\$[^$]*\$|\\\(.*?\\\)", re.S)
_TWO_WORDS = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,} +[A-Za-z]{2,}(?![A-Za-z ]*\})")
_WHERE = re.compile(
    r"\b(?:since|because|when|where|if(?! and only)|such that|for (?:all|which|every|any|each)|achieved|attained"
    r"|which occurs)\b|\(note\b", re.I)


def last_number(text: str) -> tuple[str | None, str]:
    """The bold number of the last paragraph, else the last number of the text, and which of the two it is."""
    if "**" in text and (bold := _bold(text)) is not None:
        return bold, "bold"
    before = _before_checks(text)
    if ends_in_nothing(before):
        return "0", "last value"
    number = number_said(last_sentence(before))
    if number is None and not any(map(str.isdigit, text)):
        number = words_said(before)
    return (number, "last value") if number is not None else (None, "none")


def last_formula(text: str) -> tuple[str | None, str]:
    """The text where it is one formula; else what is bold in its last paragraph; else its last value."""
    short = (len(text) <= WHOLE and "\n\n" not in text.strip() and not _WORDS.search(text)
             and not ("$" in text and _TWO_WORDS.search(_FORMULA.sub(" ", text)))
             and not (_CONCLUDES.match(text) and ("$" in text or "\\(" in text)))
    if short and (read_value(text) is not None or (_SAYS.search(normalized(text)) and readings(normalized(text)))):
        return text.strip(), "whole"
    if "**" in text and (bold := _bold(text)) is not None:
        return bold, "bold"
    group = last_group(_before_checks(_without_drawings(text)[-END:]))
    return (group, "last value") if group is not None else (None, "none")


def _without_drawings(text: str) -> str:
    """The text without the source of its figures."""
    return _DRAWING.sub(" ", text) if "[asy]" in text else text


def _before_checks(text: str) -> str:
    """The text up to a last paragraph that only checks or explains a value that stands before it."""
    starts = [check.start() for check in _CHECK.finditer(text)]
    return text[:starts[-1]] if starts and NUMBER.search(text, 0, starts[-1]) else text


def last_group(end: str, only: str = "") -> str | None:
    """The last formula or number (`only` "formula": formulas alone) with those that "and" joins to it."""
    pieces = [piece for piece in _pieces(end) if piece[3] or not only]
    if not pieces:
        return None
    pieces = _without_remarks(end, pieces)
    answer, stop, is_formula = pieces[-1][0], pieces[-1][1], pieces[-1][3]
    joined = [answer]
    for piece, start, finish, formula in reversed(pieces[:-1]):
        joint = _JOINT.fullmatch(end, finish, stop) if formula == is_formula else None
        if joint is None or (len(joined) == 1 and not formula and not _EITHER.search(joint[0])):
            break  # plain numbers are one list only where "and" says so
        joined.append(piece)
        stop = start
    return ", ".join(reversed(joined))


def _without_remarks(text: str, pieces: list[tuple[str, int, int, bool]]) -> list[tuple[str, int, int, bool]]:
    """The pieces without those at the end of the last sentence that only say what an answer before them is about,
    ", or about 0.43", or that stand behind a preposition, "ways to choose 2 of 5"."""
    left = list(pieces)
    while len(left) > 1 and not _SENTENCE.search(text, left[-2][2] - 2, left[-1][1]):
        between = text[left[-2][2]:left[-1][1]]
        if not _ABOUT.fullmatch(between) and not _WHERE.search(between) and (left[-1][3] or rank(text,
            *left[-1][1:3]) == SAID):
            return left
        left.pop()
    return left if rank(text, *left[-1][1:3]) == SAID else pieces


def _bold(text: str) -> str | None:
    """The last bold value of the last paragraph; a bold heading is none."""
    paragraph = text.rstrip().rpartition("\n\n")[2][-END:]
    for bold in reversed(list(_BOLD.finditer(paragraph))):
        inside = bold[1].strip()
        if not inside.endswith(":") and read_value(inside) is not None:
            return inside
    return None


def _pieces(text: str) -> list[tuple[str, int, int, bool]]:
    """(answer, start, end, is a formula) of all that can be an answer."""
    pieces = []
    at, plain = 0, _PLAIN.search(text)
    while piece := _PIECE.search(text, at):
        start = piece.start()
        if plain and plain.start() < at:
            plain = _PLAIN.search(text, at)
        if plain and plain.start() <= start and not piece["formula"]:
            at = plain.end()
            pieces.append((plain[0].strip(), plain.start(), at, False))
            continue
        at = piece.end()
        if piece["formula"] and (money := _MONEY.match(text, start)) and not readings(normalized(piece[0])):
            at = money.end()
            pieces.append((money[0], start, at, False))
        elif piece["formula"]:
            answer = _side(piece[0], bool(_IS.search(text, max(0, start - 12), start)))
            if answer is not None:
                pieces.append((answer, start, at, True))
            elif piece[0][0] == "$":  # two sums of money, and no formula between their signs
                at = start + 1
        elif not _HEADING.search(text, max(0, start - 12), start) and text[start - 1:start] != "^":
            pieces.append((piece[0].strip(), start, at, False))
    if plain := _PLAIN.search(text, at):
        pieces.append((plain[0].strip(), *plain.span(), False))
    return pieces


def _side(formula: str, named: bool) -> str | None:
    """The last side of the formula's equations; None where it is only a name, and no "is" makes it a value."""
    if _WORDS.search(formula) or (not named and _NAME.fullmatch(formula)):
        return None
    inside = _ROW.sub(" ", formula.strip("$ \n").removeprefix("\\(").removeprefix("\\[").removesuffix("\\)")
                      .removesuffix("\\]")).strip()
    if inside in _END_OF_PROOF or inside.startswith("^"):
        return None
    if "\\begin" in inside or _ASSIGNED.search(inside):
        return inside or None
    sides = _sides(_FACTORIAL.sub("! =", _last_row(inside) if "\\\\" in inside else inside))
    side = "=".join(sides) if len(sides) == 2 and sides[0].strip(" &") and len(sides[0]) < 40 else sides[-1]
    return side.strip(" &\n").rstrip(" .,").removesuffix("\\\\").strip() or None


def _last_row(inside: str) -> str:
    """The last row of several that says anything."""
    return next((row for row in reversed(inside.split("\\\\")) if _SAYS.search(row)), inside)


def _sides(formula: str) -> list[str]:
    """The sides of a chain of equations; a sign within braces, as of a sum from k = 1, divides nothing."""
    sides, start = [], 0
    for sign in _SIDE.finditer(formula):
        if formula.count("{", start, sign.start()) == formula.count("}", start, sign.start()):
            sides.append(formula[start:sign.start()])
            start = sign.end()
    return [*sides, formula[start:]]

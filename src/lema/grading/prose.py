"""Which number of a sentence is what the sentence says: "12 - 9 = 3 ounces are left when he drinks 1" says 3.

One design decision: grammar only, no arithmetic: what a sum comes to goes before other numbers, a number behind a
preposition ("for 4 people", "out of 30") is passed over where another one is left, and the last one is taken.
"""

import re

from lema.grading.clauses import NAMED, rank, result_clause
from lema.grading.numbers import NUMBER, last_digit, read_value
from lema.grading.quantities import is_quantity

LONGEST = 600  # characters of a sentence that are looked at
NEAR = 120  # characters before a last number in which the beginning of its sentence is looked for first
LONG_NUMBER = 32  # characters before the last digit in which the number that it ends begins
_IN_NUMBERS = "0123456789.,/ -\u2212$\xa3\u20ac"  # what a number is written with
MOST_REMARKS = 3  # sentences behind the answer that are passed over
_REMARK = re.compile(
    r"[\s(*_]*(?:note\b|please note|remember\b|recall\b|here,? (?:we|i)\b|(?:please )?let me know|i hope|hope\b"
    r"|feel free|if you have"
    r"|to (?:check|verify|double-check)\b|check(?:ing)?\b|verif\w+|(?:this|that|it) (?:can|could"
    r"|may) (?:also )?be (?:seen|checked|found|verified)"
    r"|(?:this|that) (?:assumes|comes from|follows from|is (?:because|since|how|why|based|found by|calculated by"
    r"|obtained by|the number (?:after|of|that)|assuming)"
    r"|was (?:found|calculated|obtained))|(?:we|i) (?:got|get|found|find|calculated|obtained?|computed|know"
    r"|did) (?:this|it|that|the answer)\b"
    r"|because\b|assuming\b|for (?:reference|comparison)\b|the other\b"
    r"|(?P<told>(?:we|i|he|she|they) (?:simply |just |then )?(?:divided|multiplied|added|subtracted|used|took)\b"
    r"|(?:it|this|that) is [^.\n]{1,40}? (?:less|more|fewer) than))", re.I)
_CONCLUDES = re.compile(r"\b(?:so|thus|therefore|hence|total|in all|altogether|answer|finally|in the end"
    r"|conclu\w+)\b|\*\*", re.I)
_ENDS = re.compile(r"[\n.!?](?:(?<=\n)|(?=[\s\"')*]|$)(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bRs\.))")
_RESULT = re.compile(r"= ?(?:\*\*)?(?=[$£€]?-?\.?[0-9])")
_GOES_ON = re.compile(
    r"[;:=]|, (?:he|she|it|they|we|the|this|that|there|in total)\b|\b(?:is|are|was|were|has|have|had|so|then|but"
    r"|means?|leaves?|left over|makes?|gives?|meaning|leaving"
    r"|rounds?|rounded|which|that)\b|\band (?:(?:he|she|they|it|we|there|the|his|her|this|then)\b|[A-Z])")
_REASON = re.compile(r",? (?:since|because)\b")
_JOINED = re.compile(
    r"(?: (?!(?:is|are|was|were|has|have|had|will|can|gets?|makes?|leaves?|left|so"
    r"|then)\b)[A-Za-z-]{1,20}){0,5},? (?:and|or) (?:the )?[$£€]?")
_QUANTITY = re.compile(r"[0-9][0-9,]{0,12} [A-Za-z]{3,9}(?:,? and |, | )[0-9]{1,3} [A-Za-z]{3,9}\b")
_TWO = re.compile(
    r"(?P<between>either |between |from )?(?P<one>[$£€]?" + NUMBER.pattern + r")(?: (?P<unit>[A-Za-z]{1,20}))?"
    r",? (?P<joint>or|and|to) (?:either |about )?(?P<other>[$£€]?" + NUMBER.pattern
    + r")(?: (?P<last>[A-Za-z]{1,20}))?\W*",
    re.I)


def last_sentence(text: str) -> str:
    """The last sentence of a text that has a number in it, at most LONGEST characters of it; one that only
    remarks on the one before it is passed over."""
    start, end = _sentence_with_number(text, len(text))
    for _ in range(MOST_REMARKS):
        remark = _REMARK.match(text, start, end)
        if not remark or start == 0:
            break
        earlier = _sentence_with_number(text, start)
        if earlier[1] == 0 or (remark["told"] and not _CONCLUDES.search(text, *earlier)):
            break
        start, end = earlier
    return text[start:end]


def _sentence_with_number(text: str, stop: int) -> tuple[int, int]:
    """(start, end) of the last sentence before `stop` that has a number in it; (0, 0) where there is none."""
    last = _last_number(text, stop)
    if last is None:
        return 0, 0
    start = max(0, last.start() - LONGEST)
    for reach in (NEAR, LONGEST):
        ends = [end.end() for end in _ENDS.finditer(text, max(start, last.start() - reach), last.start())]
        if ends:
            start = ends[-1]
            break
    end = _ENDS.search(text, last.end(), min(stop, last.end() + LONGEST))
    return start, end.start() if end else min(stop, last.end() + LONGEST)


def _last_number(text: str, stop: int) -> re.Match | None:
    """The last number before `stop` that counts no step."""
    digit = last_digit(text, stop)
    near = text[max(0, digit - LONG_NUMBER):digit + 1]
    end = min(stop, digit + LONG_NUMBER)
    for start in (digit + 1 - len(near) + len(near.rstrip(_IN_NUMBERS)), 0):  # nearly always where that digit is
        last, token = None, NUMBER.search(text, start, end)
        while token:
            if not _is_step(text, token):
                last = token
            token = NUMBER.search(text, token.end(), end) if token.end() <= digit else None
        if last is not None or not start:
            return last
    return None


def number_said(sentence: str) -> str | None:
    """The number that a sentence says, None where it has none."""
    reason = _REASON.search(sentence) if "since" in sentence or "because" in sentence else None
    if reason and NUMBER.search(sentence, 0, reason.start()):
        sentence = sentence[:reason.start()]
    quantity = _QUANTITY.search(sentence)
    if quantity and is_quantity(quantity[0]):
        return quantity[0]
    if result := result_of(sentence):
        return result
    tokens = [token for token in NUMBER.finditer(sentence) if not _is_step(sentence, token)]
    if len(tokens) < 2:
        return tokens[0][0].strip() if tokens else None
    clause = result_clause(sentence)
    if result := result_of(clause):
        return result
    left = [token for token in NUMBER.finditer(clause) if not _is_step(clause, token)] or tokens
    text = clause if left is not tokens else sentence
    if len(left) == 1:
        return left[0][0].strip()
    return _least_in_passing(text, left)[0].strip()


def _least_in_passing(text: str, tokens: list[re.Match]) -> re.Match:
    """The last of the numbers that the text says least in passing; what "and" joins to a number is said as that
    is."""
    best, least, before, end = tokens[-1], NAMED, 0, 0
    for token in tokens:
        each = rank(text, *token.span())
        if before and _JOINED.fullmatch(text, end, token.start()):
            each = max(each, before)
        if each <= least:
            best, least = token, each
        before, end = each, token.end()
    return best


def is_two(value: str) -> bool:
    """Whether a value leaves open which of two numbers it is, "6 or 7", "between 5 and 7", "5 to 7"; a number in
    two units is one, and so is "1 and 3/4"."""
    two = _TWO.fullmatch(value) if len(value) <= LONGEST else None
    if two is None:
        return False
    if two["joint"].lower() == "and" and not two["between"]:
        return "/" not in two["other"]
    if two["unit"] and two["last"] and two["unit"].rstrip("s") != two["last"].rstrip("s"):
        return False
    return read_value(two["one"]) != read_value(two["other"])


def _is_step(text: str, token: re.Match) -> bool:
    """Whether the number only counts a step, or is the power of a unit."""
    before = text[max(0, token.start() - 5):token.start()]
    return before.lower() == "step " or before.endswith(("^", "^{"))


def result_of(sentence: str) -> str | None:
    """What the last sum of the sentence comes to, where the sentence says nothing else behind it."""
    at = sentence.rfind("=")
    while at >= 0 and not (sign := _RESULT.match(sentence, at)):
        at = sentence.rfind("=", 0, at)
    number = NUMBER.match(sentence, sign.end()) if at >= 0 else None
    return number[0].strip() if number and not _GOES_ON.search(sentence, number.end()) else None

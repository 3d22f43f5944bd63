"""What goes on behind a stated answer: more lines of its calculation, a rounding, a retraction; and "none" for 0.

One design decision: a statement is what it says up to the end of its sentence, unless the text itself goes on
with the same calculation in the lines right below, takes it back at once, or rounds it; each by closed lists of
words.
"""

import re

from lema.grading.numbers import NUMBER, last_digit, read_value
from lema.grading.prose import number_said

MOST_LINES = 12  # lines of a calculation behind the cue
_LONGEST_LINE = 400
_ITEM = re.compile(r"\A\s{0,3}\(?(?:[0-9]{1,2}|[a-h])\) ?(?=[$£€(\\]?[0-9A-Za-z-])(?![0-9]{1,2}\))")
_LIST = re.compile(r"\s{0,8}(?:[-*•]|\(?[0-9a-h]{1,2}[).])\s|\s{0,4}step [0-9]", re.I)
_ASIDE = re.compile(
    r"\W{0,8}(?:note|check|verif|explanation|explained|proof|remark|because|since|reason|solution|for example"
    r"|question|here'?s)", re.I)
_EQUALS = re.compile(r"= ?[$£€]?-?\.?[0-9]")
_OPEN = re.compile(r"[=+*/×-]\s*\Z")
_BACK = re.compile(
    r"[\s.!?*)$\"'”]{0,6}(?:(?:but|however|though),? )?(?:oh,? |hmm,? |sorry,? )?"
    r"(?:wait\b|correction\b|oops\b|scratch that|my mistake|i made (?:a|an)\b|let me (?:correct|redo|fix)"
    r"|(?:that|this|it)(?: answer)? (?:is|was|seems|looks) (?:wrong|incorrect|not (?:right|correct|possible)"
    r"|impossible|a mistake|an error)"
    r"|(?:that|this|it)(?:'s| is) (?:wrong|incorrect|not (?:right|correct))"
    r"|(?:that|this|it) (?:can(?:['’]t|not)|can not|could(?:n['’]t| not)) be(?: (?:right|correct|true))?\b"
    r"|(?:that|this|it) (?:isn['’]t|wasn['’]t) (?:right|correct))", re.I)
_RATHER = re.compile(r",? (?:no,? |or rather,? |i mean,? |sorry,? |wait,? |actually,? )(?=[$£€]?-?[0-9])", re.I)
_ROUNDED = re.compile(
    r"\bround(?:s|ed|ing)?\b(?! to the nearest)(?: (?:it|this|that|off|up|down))*,?(?: (?:to|is|gives"
    r"|makes))?(?: about)? "
    r"(?P<to>[$£€]?[0-9][0-9,]*(?:\.[0-9]+)?)(?! ?(?:decimal|significant|digit|place|d\.p|st\b|nd\b|th\b))", re.I)
_WHOLE = re.compile(
    r"[,;.] (?:so|thus|therefore|hence|meaning|which means|rounding|but since|since"
    r"|as)\b[^\n]{0,120}?(?<![\w.,])(?P<to>[0-9]{1,9})(?![\w.,]*[0-9])", re.I)
_SUPPOSED = re.compile(r"(?:,)? (?:if|had)\b[^.\n]{0,40}?\b(?:were|was|had|would)\b", re.I)
NOTHING = re.compile(
    r"\b(?:none(?! of)|nothing|nobody|no one|zero)\b|\bno (?:more |other |further |extra "
    r"|additional )?[a-z]{3,14}(?: [a-z]{2,12}){0,2}? "
    r"(?:left|remain\w*|needed|required|over|to spare)\b|\bno more [a-z]+"
    r"|\b(?:can(?:['’]t|not)|can not|could(?:n['’]t| not)|do(?:es)?(?:n['’]t| not)|did(?:n['’]t| not)"
    r"|is(?:n['’]t| not)|are(?:n['’]t| not)"
    r"|ha(?:s|ve)(?:n['’]t| not)|wo(?:n['’]t)|will not)(?: [a-z]{2,12}){0,4}? (?:any\b(?! (?:way|how))|a single)"
    r"|\bnot (?:a single|any|even one)\b", re.I)
"""What says that a number is 0."""

_IN_NOTHING = ("no", "n't", "n\u2019t", "zero")  # one of these stands in all of it
_ANY_NOTHING = re.compile(r"\W*(?:that )?(?:[a-z]+ ){0,4}?(?:no [a-z]{3,14}s?|none|nothing|nobody"
    r"|zero)\b(?! of\b)[^0-9]{0,60}", re.I)
_ENDS = re.compile(r"[.!?\n](?:\s|\Z)")
_LEFT = re.compile(r"\b(?:left|remain)")
_CONCLUDES = re.compile(r"\W*(?:so|thus|therefore|hence|in the end|finally|in total|altogether|as a result"
    r"|consequently|then)\b", re.I)


def without_mark(value: str) -> str:
    """The value without the mark of a list before it: "1) $250"."""
    return _ITEM.sub("", value, count=1) if value[:1] in "(0123456789abcdefgh \n" else value


def is_taken_back(text: str, end: int) -> bool:
    """Whether what follows a statement takes it back: "But that can't be right"."""
    return _BACK.match(text, end) is not None


def is_supposed(cue: str, value: str) -> bool:
    """Whether a statement only says what would be: "the answer would be 5 if it were a leap year"."""
    return "would" in cue and _SUPPOSED.search(value) is not None


def rounded(value: str) -> str | None:
    """What a value is rounded to: "17" of "16.67, which rounds to 17" and of "16.67, so he needs 17 buses"."""
    last = None
    for match in _ROUNDED.finditer(value):
        last = match
    if last is not None:
        return last["to"]
    if rather := _RATHER.search(value):
        return number_said(value[rather.end():])
    first = NUMBER.match(value)
    exact = read_value(first[0]) if first and "." in first[0] else None
    whole = _WHOLE.search(value, first.end()) if exact is not None and exact.denominator > 1 else None
    return whole["to"] if whole and abs(int(whole["to"]) - exact) < 1 else None


def last_line(text: str, end: int, value: str) -> str | None:
    """What the lines behind a stated calculation come to, where they go on with it; None where they do not.

    `end` is where the value ends in the text. Lines that only check or explain go on with nothing."""
    open_ended = _OPEN.search(value) is not None
    if not (open_ended or _EQUALS.search(value) or _LIST.match(value) or _LIST.match(text, _line_start(text,
        end))):
        return None
    lines, blank = [], False
    for line in text[text.find("\n", end):].split("\n")[1:2 * MOST_LINES] if text.find("\n", end) >= 0 else ():
        if not line.strip():
            blank = True
        elif _ASIDE.match(line) or len(line) > _LONGEST_LINE or (
                blank and not open_ended and (lines or not _goes_on(value, line))):
            break
        elif open_ended or _EQUALS.search(line) or _LIST.match(line):
            lines.append(line)
            open_ended, blank = _OPEN.search(line) is not None, False
        else:
            break
    return number_said(lines[-1]) if lines else None


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _goes_on(value: str, line: str) -> bool:
    """Whether the line calculates on with what the value comes to."""
    result = number_said(value)
    operands = line.rpartition("=")[0]
    return result is not None and any(token[0].strip("$ ") == result.strip("$ ")
        for token in NUMBER.finditer(operands))


def is_nothing(value: str) -> bool:
    """Whether a stated value without digits says that there is none: "no apples", "that none are left"."""
    return len(value) < 80 and _ANY_NOTHING.fullmatch(value.strip(" .*")) is not None


def ends_in_nothing(text: str) -> bool:
    """Whether the last sentence, behind the last digit of the text, concludes that there is none left."""
    tail = text[-_LONGEST_LINE:]
    rest = tail[last_digit(tail, len(tail)) + 1:].rstrip(" .!?\n*")
    if len(rest) < 8 or len(rest) == len(tail) < len(text):
        return False
    if not any(map(rest.casefold().__contains__, _IN_NOTHING)) or not NOTHING.search(rest):
        return False
    last = _ENDS.split(rest)[-1]
    return NOTHING.search(last) is not None and (_CONCLUDES.match(last) or _LEFT.search(last)) is not None

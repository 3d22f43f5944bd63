"""The commonest texts at once: those that end in their answer, a plain number.

One design decision: a text is graded here only where the slow way must come to the same grade, word for word (a
test compares the two); whatever is doubtful comes back as None. One short pattern looks at the last few
characters.
"""

import re

from lema.grading.number_words import NO_UNITS
from lema.grading.verdict import Grade
from lema.replies.reply_span import is_cut, may_be_cut, reply_span

REACH = 48  # characters from the end back that are looked at
LONGEST = 30  # characters of a gold answer that is compared here
_END = re.compile(
    r"(?:[Tt]he (?:final )?(answer) is(?:: ?| )|(?:\n|\*\*)(Answer):(?:\*\*)? ?|\n(####) ?|\n(A): ?|(\\boxed)\{)"
    r"(\$?(-?[0-9][0-9,]*(?:\.[0-9]+)?)(?:\$| ([a-z]{4,14}))?)(\}?)(?:[.$ \n]|\\[)\]]){0,6}\Z")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?\Z")


def quick(text: str, gold: str) -> Grade | None:
    """The grade of a text that ends in a plain number, if the gold answer is a plain number; else None."""
    if (plainest := _last_line(text, gold)) is not None:
        return plainest
    end = text[-REACH:]
    start = len(text) - len(end)
    box = end.rfind("\\boxed{")
    ending = _END.match(text, start + box) if box >= 0 else None
    if ending is None and ("nswer" in end or "#" in end or "A:" in end):
        ending = _END.search(text, start)
    if ending is None or len(gold) > LONGEST:
        return None
    answer, number, unit, brace = ending.group(6, 7, 8, 9)
    if ending[5]:
        if brace != "}" or answer != number or text.find("boxed") != ending.start() + 1 or "\\fbox" in text:
            return None  # boxes side by side are one list
    elif brace or unit in NO_UNITS or text[ending.end(6):].strip(" \n") not in ("", "."):
        return None
    value, wanted = _digits(number), _digits(gold)
    if value is None or wanted is None:
        return None
    if (may_be_cut(text) and (is_cut(text) or len(reply_span(text)) < len(text))) or (
            text.count(":") > ending[0].count(":") and len(reply_span(text)) < len(text)):
        return None  # there is a new question before this answer
    how = ending[3] or (ending[4] and "A:") or (ending[5] and "boxed") or "answer sentence"
    return Grade("right" if value == wanted else "wrong", answer, how)


def _last_line(text: str, gold: str) -> Grade | None:
    """The grade where the last line is "A: 12" or "#### 12" and nothing else is in doubt: no pattern is needed."""
    start = text.rfind("\n") + 1
    if text.startswith("A: ", start):
        form, colon = "A:", start + 1
    elif text.startswith("#### ", start):
        form, colon = "####", -1
    else:
        return None
    number = text[start + len(form) + 1:]
    if not (number.isdigit() and gold.isdigit() and number.isascii() and gold.isascii()):
        return None
    if not start or max(len(number), len(gold)) > LONGEST or text.find(":") != colon or may_be_cut(text):
        return None
    return Grade("right" if number.lstrip("0") == gold.lstrip("0") else "wrong", number, form)


def _digits(text: str) -> str | None:
    """A plain number in the one form that equal numbers share: "1,200.50" is "1200.5"; None for anything else."""
    if not text.isascii():
        return None
    if "," in text:
        if not _GROUPED.match(text):
            return None
        text = text.replace(",", "")
    body = text[1:] if text[:1] == "-" else text
    if not body.isdigit():
        whole, point, decimals = body.partition(".")
        if not (point and whole.isdigit() and decimals.isdigit()):
            return None
        decimals = decimals.rstrip("0")
        body = (whole.lstrip("0") or "0") + ("." + decimals if decimals else "")
    elif body[0] == "0":
        body = body.lstrip("0") or "0"
    return body if text is body or text[0] != "-" or body == "0" else "-" + body

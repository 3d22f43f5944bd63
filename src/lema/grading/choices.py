"""Multiple choice: which letter or candidate a text settles on, and whether two name the same one.

One design decision: a choice is what is stated, a letter or one candidate's words; a text that names none, or
two, states none, and no candidate is ever taken because it is the nearest.
"""

import re
from collections.abc import Iterator, Sequence
from operator import itemgetter
from string import ascii_uppercase as LETTERS

from lema.grading.compare import decided
from lema.grading.extract import NONE, UNFINISHED, Reading, read_text
from lema.grading.normalize import EDGES, normalized, trimmed, words
from lema.grading.numbers import read_value
from lema.grading.statements import LONGEST, placed, stated_at
from lema.replies.reply_span import is_cut, reply_span

SEVERAL = "several"  # what stands for a letter where a text names more than one as its answer
MOST = 50  # sentences of one text that name an option, and are looked at
_LETTER = r"(?:\(([A-Za-z])\)|([A-Z])(?![\w'’]|[ ](?!because\b|since\b|as\b|for\b|is\b|and\b|or\b|due\b)[a-z]))"
_STATED = re.compile(
    r"\W{0,8}(?i:(?:i think|probably|most likely|definitely|clearly) )?"
    r"(?i:(?:the )?(?:option|choice|letter|answer)[\W_]{1,4})?" + _LETTER
    + r"|\W{0,8}(?i:(?:the )?(?:option|choice|letter)[\W_]{1,4})([a-z])(?![\w'’])", re.A)
_NEXT = re.compile(
    r"[\s*_,;/&)(]{0,4}(?:(?:and|or|nor)\b)?[\s*_,;/&(]{0,4}(?:(?:option|choice)[\s_]{1,3})?"
    r"\(?([A-Z])\)?(?![\w'’]|[ ][a-z])", re.A)
_NEITHER = re.compile(r"\b(?:either|neither|both)\b", re.I)
_BUT = re.compile(r"not\b[^.\n]{0,60}?\bbut\s{1,2}(?:rather\s)?", re.I)
_RATHER = re.compile(r",? (?:and |but )?(?:not|rather than|instead of)\b")
_ALONE = re.compile(r"\W{0,6}(?:([A-Z])|\(([a-z])\))\W{0,6}", re.A)
_OPENS = re.compile(r"\W{0,4}([A-Z])(?:[).:。,]|(?=[^\x00-\x7f]))", re.A)
_BRACKETED = re.compile(r"\(([A-Z])\)")
_CHOSEN = re.compile(
    r"\b(?i:it'?s|it is|it must be|choose|pick|select|go(?:ing)? (?:with|for)|option|choice|is)\s{1,2}"
    r"(?i:(?:most likely|probably|likely|definitely|clearly)\s{1,2})?"
    r"(?i:(?:option|choice|letter|answer)\s{1,2})?[(*\"]{0,3}([A-Z])[)*\"]{0,3}(?![\w'’]|[ ][a-z])", re.A)
_CALLED = re.compile(
    r"(?<![\w'’])(?:(?:option|choice|letter|answer)[\s_]{1,2})?[(*\"]{0,3}([A-Z])[)*\"]{0,3}\s{1,2}"
    r"(?:is|must be|seems)\s{1,2}(?:(?:clearly|therefore|thus)\s{1,2})?(?:the\s{1,2})?(?:only\s{1,2}|most\s{1,2})?"
    r"(?:correct|right|best|answer|true|appropriate|likely)\b", re.A | re.I)
_OPTION = re.compile(
    r"(?:\b(?:correct|right|best|chosen|final|appropriate|likely|suitable)[ \t]{1,3}(?:option|choice|one"
    r"|selection|solution)|\bthe (?:solution|choice|option)"
    r"|(?:^[ \t*#>]{0,8}|[.:] )(?:solution|choice|option|selection|conclusion))[*_ \t]{0,4}"
    r"(?:\b(?:is|would be|must be|should be|seems to be)\b:?|:)[\s:*_]{0,12}(?:solution[ \t]{0,2}:[ \t]{0,3})?",
    re.I | re.M)
_DENIED = re.compile(
    r"\b(?:no|not|nor|wrong|incorrect|never|cannot|too|false|unlikely|eliminated?|exclud\w{0,4}|rul\w{1,3} out"
    r"|\w{2,8}n['’]t)\b",
    re.I)
_REJECTED = re.compile(r"[\s*)]{1,3}(?:is|are|was|seems|can|could|must|would"
    r"|does)\b.{0,20}?(?:" + _DENIED.pattern + ")", re.I)
_LABELLED = re.compile(r"\s*\(?([A-Z])(?:[).:]\s*|\s+(?=[A-Z0-9]))(.*)", re.S)
_LISTED = re.compile(r"^[\s*-]{0,6}\(?[A-Z][).:] ", re.M)
_HINTS = ("ption", "PTION", "hoice", "HOICE", "olution", "election", "onclusion", " one", " is ", " must be ",
          " seems ")


def read_letter(text: str) -> Reading:
    """The last stated letter of a choice, else the chosen one, else the only one in brackets of the last
    sentence."""
    if is_cut(text):
        return UNFINISHED
    text = reply_span(text)
    for value, how in _stated(text):
        if _taken_back(value):
            continue
        letter = _letter_of(value)
        if letter == SEVERAL:
            return NONE
        if letter or (letter := _only_bracketed(value)):
            return Reading(letter, how)
    return _unstated(text)


def read_choice(text: str, choices: Sequence[str] = ()) -> Reading:
    """The last stated choice: its letter, or its words. Where `choices` are given, it is one of them."""
    if is_cut(text):
        return UNFINISHED
    reply = reply_span(text)
    by_words = {words(choice): choice for choice in choices}
    letters = frozenset(LETTERS[:len(choices)] or LETTERS)
    for value, how in _stated(reply):
        if words(value) in by_words:
            return Reading(value.strip(EDGES), how)
        if _taken_back(value):
            continue
        letter = _letter_of(value) or _only_bracketed(value)
        if letter == SEVERAL:
            return NONE
        if letter in letters:
            return NONE if _contradicts(value, letter, choices) else Reading(letter, how)
        named = _only_named(value, by_words)
        if named is not None or (named := _only_equal(value, choices)) is not None:
            return Reading(named, how)
    unstated = _opening(reply, choices) or _unstated(reply)
    statement = NONE if choices else read_text(text)
    if unstated.answer in letters and (unstated.how != "whole" or statement.answer is None):
        return unstated
    return Reading(text.strip(EDGES), "whole") if words(text) in by_words else statement


def same_choice(answer: str, gold: str, choices: Sequence[str] = ()) -> bool:
    """Whether both name the same choice, by its letter or by its words; either side may be "(C) Cecile"."""
    letter, wording = _parts(answer, choices)
    wanted, meant = _parts(gold, choices)
    if wording and meant and wording == meant:
        return True
    return letter is not None and letter == wanted


def same_letter(answer: str, gold: str) -> bool:
    """Whether both name the same choice: "(b)" is "B"."""
    return answer.strip("() .").upper() == gold.strip("() .").upper()


def _stated(text: str) -> Iterator[tuple[str, str]]:
    """(value, form) of every statement of an answer, the last first: as in any text, and those about an option."""
    places = list(placed(text))
    if any(hint in text for hint in _HINTS):
        spoken = [(match.start(), match.end(), "") for match in _OPTION.finditer(text)]
        spoken += [(match.start(), match.end(), match[1].upper()) for match in _CALLED.finditer(text)]
        places += [(start, letter or stated_at(text, end), "answer sentence")
                  for start, end, letter in sorted(spoken)[-MOST:]]
        places.sort(key=itemgetter(0), reverse=True)
    return ((_head(value), how) for _, value, how in places if value)


def _head(value: str) -> str:
    """The value up to what it says that it is not: "A bank, not B"."""
    head = _RATHER.split(value, maxsplit=1)[0]
    return head if head.strip() else value


def _taken_back(value: str) -> bool:
    return value[:4].lower() == "not " and not _BUT.match(value)


def _letter_of(value: str) -> str | None:
    """The one letter that a value begins with, SEVERAL where another follows; None where it begins with none."""
    value = _BUT.sub("", value[:LONGEST], count=1)
    value = normalized(value.replace("\\_", "_")) if "\\" in value or "$" in value else value
    if _NEITHER.match(value) and len(_BRACKETED.findall(value)) != 1:
        return SEVERAL
    if lone := _ALONE.fullmatch(value) if len(value) < 16 else None:
        return (lone[1] or lone[2]).upper()
    opening = _STATED.match(value)
    if opening is None:
        return value.upper() if len(value) == 1 and value.isascii() and value.isalpha() else None
    letter = (opening[1] or opening[2] or opening[3]).upper()
    after = _NEXT.match(value, opening.end())
    return SEVERAL if after and after[1] != letter else letter


def _only_bracketed(value: str) -> str | None:
    """The one letter in brackets that a value names."""
    letters = set(_BRACKETED.findall(value))
    return letters.pop() if len(letters) == 1 else None


def _contradicts(value: str, letter: str, choices: Sequence[str]) -> bool:
    """Whether the letter is followed by the words of another choice: "(B) bank" where B is a library."""
    if not choices:
        return False
    labelled = _LABELLED.fullmatch(normalized(value[:LONGEST]))
    wording = words(labelled[2]) if labelled and labelled[1] == letter else ""
    meant = [words(choice) for choice in choices]
    return bool(wording) and wording in meant and wording != meant[LETTERS.index(letter)]


def _unstated(text: str) -> Reading:
    """The letter of a text that makes no statement: the text is one, it chooses one, its last sentence has one."""
    if alone := _ALONE.fullmatch(text) if len(text) < 40 else None:
        return Reading((alone[1] or alone[2]).upper(), "whole")
    if opens := _OPENS.match(text) if "\n" not in text.strip() else None:
        return Reading(opens[1], "whole")
    last = text.rstrip().rpartition("\n")[2][-LONGEST:]
    last = last.rstrip(" .*").rpartition(". ")[2]
    if not _DENIED.search(last) and (letter := _only_bracketed(last)):
        return Reading(letter, "last value")
    chosen = {match[1] for match in _CHOSEN.finditer(last) if not _REJECTED.match(last, match.end())}
    if len(chosen) == 1:
        return Reading(chosen.pop(), "last value")
    return NONE


def _opening(text: str, choices: Sequence[str]) -> Reading | None:
    """The choice that the first line is, letter and words, where no list of options begins with it."""
    first, _, rest = text.strip().partition("\n")
    labelled = _LABELLED.fullmatch(normalized(first[:LONGEST]))
    if labelled is None or not rest or _LISTED.search(rest) or labelled[1] not in LETTERS[:len(choices)]:
        return None
    same = words(labelled[2]) == words(choices[LETTERS.index(labelled[1])])
    return Reading(labelled[1], "whole") if same else None


def _only_named(value: str, by_words: dict[str, str]) -> str | None:
    """The one candidate whose words stand in the value; of "red" and "dark red" the longer one."""
    sentence = f" {words(_BUT.sub('', value, count=1))} "
    if " not " in sentence:
        return None
    named = [name for name in by_words if name and f" {name} " in sentence.replace(",", " ").replace(".", " ")]
    longest = [name for name in named if not any(name != other and name in other for other in named)]
    return by_words[longest[0]] if len(longest) == 1 else None


def _only_equal(value: str, choices: Sequence[str]) -> str | None:
    """The one choice that is the same number or formula: 1/2 where it reads 0.5, 14 where it reads 14 km."""
    if len(value) > 80 or not any(map(str.isdigit, value)):
        return None
    number = read_value(value)
    equal = [choice for choice in choices if len(choice) <= 80
             and ((number is not None and read_value(choice) == number) or decided(value, choice) is True)]
    return equal[0] if len(equal) == 1 else None


def _parts(text: str, choices: Sequence[str]) -> tuple[str | None, str]:
    """(letter, words) that a choice is given by; what `choices` can tell is filled in."""
    bare = trimmed(text).strip("() .")
    if len(bare) == 1 and bare.isalpha():
        place = LETTERS.find(bare.upper())
        return bare.upper(), words(choices[place]) if 0 <= place < len(choices) else ""
    if "\n" in bare and (reading := read_letter(text)).answer:
        return reading.answer, ""
    if labelled := _LABELLED.fullmatch(trimmed(text)):
        return labelled[1], words(labelled[2])
    wording = words(text)
    places = [place for place, choice in enumerate(choices) if words(choice) == wording]
    return (LETTERS[places[0]] if len(places) == 1 else None), wording

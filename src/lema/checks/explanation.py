"""The check of the explanation: it speaks of the named step, and says more than what the answer should be.

One design decision: an explanation is measured by the words and numbers that it does not share with every other
explanation (lema.checks.vocabulary); where there are such, some have to occur in what it explains. One that says
nothing but that the step is wrong, states the answer, repeats a text or blames another step is none.
"""

import re
from collections import Counter
from difflib import SequenceMatcher
from itertools import pairwise

from lema.checks.checked import Checked, bare
from lema.checks.vocabulary import BEGINNINGS, COMMON, EMPTY

SAME = 0.95
"""Share of an explanation's words, in their order, that makes it a repetition of another text."""

MOST = 0.6
"""And so much of that text."""

FEW = 200
"""Words of an explanation, up to which they are aligned one by one: that takes the square of their number, or
more, and a reply may be as long as it likes."""

_NAMED = re.compile(r"\bsteps?[ \t*_#]{0,4}([0-9]{1,4})\b", re.I)
_BLAMES = re.compile(
    r"\bstep[ \t*_#]{0,4}[0-9]{1,4}\b[^.\n]{0,24}?\b(?:is|was) (?:\w+ )?(?:wrong|incorrect|mistaken)\b|"
    r"\b(?:error|mistake) (?:is|occurs|occurred|begins|lies) (?:in|at|with) step[ \t*_#]{0,4}[0-9]{1,4}\b|"
    r"^\s{0,9}(?:in|at) step[ \t*_#]{0,4}[0-9]{1,4}\b", re.I)
_SYMBOL = re.compile(r"(?<![A-Za-z\\])([A-Za-z])(?=\s?(?:[(^=_]|\\le|\\ge))")
_CALCULATION = re.compile(r"[0-9] ?[-+*/×÷] ?[0-9]")
_SIGNS = frozenset("-+*/=^%")


def explains_the_step(checked: Checked) -> bool:
    """Speaks of what stands there, blames no other step, and says more than the answer and more than that there
    is a mistake."""
    text = checked.correction.explanation
    letters = list(filter(str.isalpha, text))
    if sum(map(str.isascii, letters)) * 2 < len(letters):
        return not _is_of_something_else(text, checked)  # of words in other letters only the numbers count
    if not checked.rewrites and _blames_another(text, checked.correction.step):
        return False
    words = bare(_NAMED.sub(" ", text))
    return not (_says_nothing(words, checked) or _repeats(words, checked) or _is_of_something_else(text, checked))


def _blames_another(text: str, step: int | None) -> bool:
    """Whether it calls another step the wrong one without ever naming this one."""
    return bool(_BLAMES.search(text)) and step not in map(int, _NAMED.findall(text))


def _says_nothing(words: tuple[str, ...], checked: Checked) -> bool:
    """Whether it is made of blame, praise, and the answers: the gold one, its own, and the path's. "8 - 4 is 4"
    says something, whatever the answers are."""
    if _CALCULATION.search(checked.correction.explanation):
        return False
    closing = (word for word in bare(checked.mistake[-1] if checked.mistake else "") if word[0].isdigit())
    answers = {*bare(checked.gold), *bare(checked.correction.answer or ""), *closing}
    return set(words) <= EMPTY | _SIGNS | answers


def _repeats(words: tuple[str, ...], checked: Checked) -> bool:
    """Whether it is the wrong step, the corrected one or the question once more, word by word; what is only a part
    of one points at something there."""
    if len(words) < 6:
        return False
    for text in map(bare, (checked.wrong_step, *checked.correction.steps[:1], checked.question)):
        least = max(SAME * len(words), MOST * len(text))
        if (Counter(words) & Counter(text)).total() >= least and _same_in_order(words, text) >= least:
            return True
    return False


def _same_in_order(words: tuple[str, ...], text: tuple[str, ...]) -> int:
    """How many words both have, in the same order; of a long explanation those whose neighbour both have too."""
    if len(words) <= FEW:
        alike = SequenceMatcher(None, words, text, autojunk=False).get_matching_blocks()
        return sum(block.size for block in alike)
    return (Counter(pairwise(words)) & Counter(pairwise(text))).total() + 1


def _is_of_something_else(text: str, checked: Checked) -> bool:
    """Whether too little of its own can be found in the question, the path and the correction."""
    context = " ".join((checked.question, *checked.mistake, *checked.correction.steps))
    symbols = set(_SYMBOL.findall(text)) - {"a", "A", "I"}
    if symbols and not any(re.search(rf"(?<![A-Za-z]){symbol}(?![A-Za-z])", context) for symbol in symbols):
        return True  # speaks of an f(2) that is nowhere to be found
    own, there = _own(text), _own(context)
    beginnings = {other[:length] for other in there if len(other) > 3 for length in range(1, 5)}
    shared = sum(word in there or (len(word) < 6 and word[:4] in beginnings) for word in own)
    return len(own) - shared >= _foreign_enough(shared)


def _foreign_enough(shared: int) -> int:
    """From how many own words that come from nowhere on an explanation is of something else: 2, 3, 5, 8, 12 ...
    beside 0, 1, 2, 3, 4 ... shared ones. One is a turn of phrase; a long text shares some by chance, and the
    measured counts (docs/corrections.md) lie along this curve."""
    return 2 + shared * (shared + 1) // 2


def _own(text: str) -> set[str]:
    """The words and numbers that say of what; words by their first six letters, so that endings do not count."""
    own = set()
    for word in bare(_NAMED.sub(" ", text)):
        says_of_what = word not in COMMON and (len(word) < 6 or word[:6] not in BEGINNINGS)
        if says_of_what and (word[0].isdigit() or len(word) > 2):
            own.add(word[:6])
    return own

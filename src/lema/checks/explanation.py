"""The check of the explanation: it speaks of the named step, and says more than what the answer should be.

One design decision: an explanation is measured by the words and numbers that it does not share with every other
explanation; those have to occur in what it explains. It names no other step as the wrong one.
"""

import re
from collections.abc import Sequence

from lema.checks.checked import Checked, bare

ENOUGH_SHARED = 0.25
"""Share of an explanation's own words and numbers that must come from the question, the path or the correction."""

_NAMED = re.compile(r"\bsteps?[ \t*_#]{0,4}([0-9]{1,4})\b", re.I)
_BLAMED = re.compile(
    r"\bstep[ \t*_#]{0,4}([0-9]{1,4})\b[^.\n]{0,24}?\b(?:is|was) (?:\w+ )?(?:wrong|incorrect|mistaken)\b|"
    r"\b(?:error|mistake) (?:is|occurs|occurred|begins|lies) (?:in|at|with) step[ \t*_#]{0,4}([0-9]{1,4})\b", re.I)
_SYMBOL = re.compile(r"(?<![A-Za-z\\])([A-Za-z])(?=\s?(?:[(^=_]|\\le|\\ge))")
_BLAMING = frozenset(re.findall(r"\w+", """
    a an and answer are be correct error final gold has here in incorrect instead is it its mistake mistaken must
    not of result right should so solution step that the there therefore thus this to was which with wrong wrongly
"""))
_COMMON = frozenset(re.findall(r"\w+", """
    a about above actual actually add added adding after all also although an and another answer are as asked
    asks at be because been before being both but by calculate calculated calculates calculating calculation
    calculations can conclude correct correctly could current do does doing done each equal equals equation
    error errors every explain explanation final find finding first follow followed follows for form former
    found from give given gives goes has have he her here his how however i if in incorrect incorrectly initial
    instead into is isn it its just know known last latter lead leads less made make makes may mean means might
    mistake mistaken mistakenly more must need needed needs new next no not nothing number numbers of on one
    only or original other our out over problem problems process question reason result results right same say
    says she should shown simply since so solution solve some stated statement states step steps still story
    student such t take than that the their them then there therefore these they this those thus to too true two
    use used uses using value values was we were what when where which while who whole why will with without
    work would wrong wrongly yet you your
"""))


def explains_the_step(checked: Checked) -> bool:
    """Speaks of what stands there, blames no other step, and says more than the answer."""
    text = checked.correction.explanation
    own = _own(text)
    if sum(letter.isascii() for letter in text if letter.isalpha()) * 2 < sum(map(str.isalpha, text)):
        return True  # written in letters that are not compared here
    if not checked.rewrites and _blames_another(text, checked.correction.step):
        return False
    answers = (checked.gold, checked.correction.answer or "", _closing(checked.mistake))
    if set(bare(_NAMED.sub(" ", text))) - _BLAMING <= set(bare(" ".join(answers))):
        return False  # nothing but that it is wrong and what the answer should be
    if not own:
        return True  # commonplaces that say what is missing: "It does not say how."
    context = " ".join((checked.question, *checked.mistake, *checked.correction.steps))
    symbols = set(_SYMBOL.findall(text)) - {"a", "A", "I"}
    if symbols and not any(re.search(rf"(?<![A-Za-z]){symbol}(?![A-Za-z])", context) for symbol in symbols):
        return False  # speaks of an f(2) that is nowhere to be found
    there = _own(context)
    shared = sum(_is_among(word, there) for word in own)
    return shared >= ENOUGH_SHARED * len(own)


def _blames_another(text: str, step: int | None) -> bool:
    """Whether it calls another step the wrong one without ever naming this one."""
    blamed = {int(number) for found in _BLAMED.findall(text) for number in found if number}
    return bool(blamed) and step not in {int(number) for number in _NAMED.findall(text)}


def _closing(mistake: Sequence[str]) -> str:
    """The path's answer sentence, where it ends in one."""
    return mistake[-1] if mistake and mistake[-1].lower().startswith("the answer") else ""


def _own(text: str) -> set[str]:
    """The words and numbers that say something; words by their first six letters, so that endings do not count."""
    return {word[:6] for word in bare(_NAMED.sub(" ", text))
            if word not in _COMMON and (word[0].isdigit() or len(word) > 2)}


def _is_among(word: str, there: set[str]) -> bool:
    return word in there or (len(word) < 6 and any(other.startswith(word[:4]) for other in there if len(word) > 3))

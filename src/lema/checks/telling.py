"""What a corrector is told when it is asked again: which check its correction failed, in a sentence.

One design decision: no sentence holds anything of the gold answer; that its own answer was not right is all that a
corrector learns, unless the config gives it a hint.
"""

from lema.checks import REASONS
from lema.records import Correction

_SENTENCES = {
    "complete": "Your reply breaks off before it ends.",
    "parsed": "Your reply does not have the three parts in the asked form.",
    "step": "The solution has no step of the number that you name.",
    "quoted": "What you quote is not the text of the step that you name.",
    "kept": "Your corrected steps do not begin with the step that you name; those before it must stay.",
    "changed": "Your correction repeats the step that you call wrong.",
    "arithmetic": "One of your corrected steps contains a calculation that is not true.",
    "earlier": "A step before the one that you name already contains a calculation that is not true.",
    "explanation": "Your explanation does not say what is wrong in the step that you name.",
    "repeat": "Your corrected steps say the same thing twice.",
    "answer": "The final answer that your correction reaches is not right.",
}
_BY_REASON = {REASONS[check]: sentence for check, sentence in _SENTENCES.items()}


def told(rejected: Correction) -> str:
    """The sentence about the check that this correction failed."""
    return _BY_REASON.get(rejected.rejected.split(":", 1)[0], "Your correction does not hold.")

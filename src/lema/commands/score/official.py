"""What the scorer of the LeMa repository returns, oddities included, so that published numbers can be repeated.

One design decision: this is its behaviour, described as two readings and a comparison each, and kept apart from
the grader that lema itself trusts. Where the repository evaluates model text, `bounded` gives the same value or,
for what would never end, none. The oddities, by what they return:

- No "The answer is ", with that capital and space: a number reads as 0, mathematics falls back on the last
\\boxed. - Lower-case letters vanish and digits close up: "3 1/2" is 15.5, "5 to 7" is 57, "1e3" is 13. - What
cannot be read is 0 (a number) or "" (mathematics), so that an unreadable answer counts as right where the gold
answer is 0. - Mathematics is compared as text after a clean-up; \\fbox, and \\boxed without braces, are
unreadable. - SVAMP, ASDiv and MAWPS are compared after rounding to two decimals, GSM8K as it stands.

CommonsenseQA always settles on one of the candidates: the reply is cut where it goes on to another question ("Q:
" or "Question: " behind an empty line), what stands behind its last "The answer is ", without the full stops at
its ends, or else the whole of it, is held against every candidate by edit distance, and the nearest one is the
answer, of equally near ones the first. lema's own csqa task never guesses.
"""

import operator
import re
from collections.abc import Callable, Sequence

from lema.commands.score.bounded import NotArithmetic, evaluate
from lema.commands.score.distance import distance
from lema.errors import ConfigError
from lema.grading import Grade
from lema.plugins import near_miss

SENTENCE = "The answer is "
LONGEST_CANDIDATE = 1_000  # characters of a candidate that are compared; the reply is compared whole
_LETTERS = str.maketrans("", "", "abcdefghijklmnopqrstuvwxyz")
_OPERATORS = frozenset("+-*/")


def grade(text: str, gold: str, *, task: str = "gsm8k", candidates: Sequence[str] = ()) -> Grade:
    """Right or wrong, as the repository's scorer has it; the answer is the value that it compares.

    `gold` is the bare gold answer, for csqa one of the `candidates`; without these a reply must name it as it
    stands. Raises ConfigError for a task that the repository does not score.
    """
    reader, same = _reading(task)
    answer = reader(text)
    if task == "csqa" and candidates:
        answer = _nearest(answer, candidates)
        return Grade("right" if answer == gold else "wrong", answer, "official csqa")
    right = same(answer, reader(f"{SENTENCE}{gold}."))
    return Grade("right" if right else "wrong", str(answer), f"official {task}")


def read(text: str, *, task: str = "gsm8k") -> float | str:
    """What it reads out of a text: a number, or the cleaned-up text of mathematics or of a candidate."""
    return _reading(task)[0](text)


def read_number(text: str) -> float:
    """The GSM8K reading: the digits of the last answer sentence; 0 where there is none to be read."""
    own = text.split("\n\nQ: ", 1)[0].split("\n\nQuestion: ", 1)[0].replace("The answer is: ", SENTENCE)
    _, stated, stated_part = own.rpartition(SENTENCE)
    if not stated:
        return 0.0
    stated_part = stated_part.removesuffix(".").replace("£", "").replace("€", "")
    stated_part = stated_part.removesuffix(".").replace(",", "")
    for mark in ("=", ">>"):
        if mark in stated_part:
            stated_part = stated_part.rpartition(mark)[2].strip()
    stated_part = stated_part.lower().translate(_LETTERS).split(":", 1)[0].replace("$", "").replace('"', "")
    if "%" in stated_part:
        stated_part = stated_part.strip()
        if not stated_part.endswith("%"):
            return 0.0
        stated_part = stated_part[:-1]
    return _number(stated_part.removesuffix("/").replace(" ", ""))


def read_maths(text: str) -> str:
    """The MATH reading: the last answer sentence, else the last \\boxed, cleaned up; "" where there is neither."""
    own = text
    for start in ("Q:", "Question:"):
        if start in own:
            own = own.split(start, 1)[0].strip()
    _, stated, stated_part = own.replace("The answer is: ", SENTENCE).rpartition(SENTENCE)
    stated_part = stated_part.strip()
    if stated:
        stated_part = stated_part.removesuffix(".").replace("$", "").strip()
    if not stated or "boxed{" in stated_part:
        stated_part = _last_box(stated_part) or ""
    try:
        return _cleaned(stated_part)
    except _NotCleaned:
        return ""


def _candidate(text: str) -> str:
    """The CommonsenseQA reading: what stands behind the last answer sentence, or the whole reply."""
    own = text.split("\n\nQ: ", 1)[0].split("\n\nQuestion: ", 1)[0]
    return own.replace("The answer is: ", SENTENCE).rpartition(SENTENCE)[2].strip(".")


def _nearest(statement: str, candidates: Sequence[str]) -> str:
    """The candidate of the least edit distance, of equally near ones the first."""
    return min(candidates, key=lambda candidate: distance(statement, candidate[:LONGEST_CANDIDATE]))


def _rounded(answer: float, gold: float) -> bool:
    return round(answer, 2) == round(gold, 2)


_TASKS: dict[str, tuple[Callable, Callable]] = {
    "gsm8k": (read_number, operator.eq), "math": (read_maths, operator.eq), "svamp": (read_number, _rounded),
    "asdiv": (read_number, _rounded), "mawps": (read_number, _rounded), "csqa": (_candidate, operator.eq)}


def _reading(task: str) -> tuple[Callable, Callable]:
    try:
        return _TASKS[task]
    except KeyError:
        raise ConfigError(f"the official scorer knows no task {task!r}{near_miss(task, list(_TASKS))}") from None


def _number(digits: str) -> float:
    """The value of what is left; arithmetic is worked out, anything unreadable is 0."""
    try:
        return float(evaluate(digits) if _OPERATORS.intersection(digits) else digits)
    except (NotArithmetic, TypeError, ValueError, OverflowError):
        return 0.0


class _NotCleaned(Exception):
    """The clean-up fails."""


def _last_box(text: str) -> str | None:
    """What stands in the braces of the last \\boxed; None where it has none or they do not close."""
    _, box, rest = text.rpartition("\\boxed")
    if not box or not rest.startswith("{"):
        return None
    depth = 0
    for brace in re.finditer(r"[{}]", rest):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return rest[1:brace.start()]
    return None


def _cleaned(text: str) -> str:
    """The text as it is compared. The order of the steps is part of the behaviour."""
    text = text.replace("\n", "").replace("\\!", "").replace("\\\\", "\\").replace("tfrac", "frac")
    text = text.replace("dfrac", "frac").replace("\\left", "").replace("\\right", "")
    text = text.replace("^{\\circ}", "").replace("^\\circ", "").replace("\\$", "")
    text, *units = text.split("\\text{ ")
    if len(units) > 1:
        raise _NotCleaned
    text = text.replace("\\%", "").replace(" .", " 0.").replace("{.", "{0.")
    text = f"0{text}" if text.startswith(".") else text
    name, equals, value = text.partition("=")
    if equals and len(name) <= 2 and "=" not in value:
        text = value
    text = _braced_fractions(_braced_roots(text).replace(" ", ""))
    if text == "0.5":
        return "\\frac{1}{2}"
    return _slash_as_fraction(text)


def _braced_roots(text: str) -> str:
    """\\sqrt3 as \\sqrt{3}: the one character behind the root goes into braces."""
    if text.endswith("\\sqrt") or "\\sqrt\\sqrt" in text:
        raise _NotCleaned
    return re.sub(r"\\sqrt([^{])", r"\\sqrt{\1}", text, flags=re.S)


def _braced_fractions(text: str) -> str:
    """\\frac12 as \\frac{1}{2}, and \\frac1{72} as \\frac{1}{72}."""
    head, *parts = text.split("\\frac")
    whole = [head]
    for part in parts:
        if not part:
            raise _NotCleaned
        if part[0] != "{":
            if len(part) == 1:
                return text
            part = f"{{{part[0]}}}" + (part[1:] if part[1] == "{" else f"{{{part[1]}}}{part[2:]}")
        whole.append(part)
    return "\\frac".join(whole)


def _slash_as_fraction(text: str) -> str:
    """A plain 3/4 as \\frac{3}{4}; the whole numbers must be written as Python writes them."""
    upper, slash, lower = text.partition("/")
    try:
        if slash and text == f"{int(upper)}/{int(lower)}":
            return f"\\frac{{{upper}}}{{{lower}}}"
    except ValueError:
        pass
    return text

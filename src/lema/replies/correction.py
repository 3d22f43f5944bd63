"""A corrector's reply read: the named step, why it is wrong, and the corrected steps.

One design decision: a reply is a row of labelled sections; where labels are missing, prose has to say the same
without doubt (one step blamed, one run of numbered steps), else the reply is `Unparsed`: nothing is guessed.
"""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from lema.replies.naming import HEAD, LABEL, behind_label, blamed, finds_nothing, opens_with, quoted
from lema.replies.numbered import DECORATION, STEP
from lema.replies.opened import LONGEST, opened
from lema.replies.read import Parsed, Unparsed
from lema.replies.solution import Solution, solution_of

_END = r"[*_ \t|]{0,6}(?:[:：|][*_ \t]{0,5}|[*_ \t]{0,5}$)"
_EXPLANATION = re.compile(
    r"(?:(?:the|brief|detailed|short|an) ){0,2}(?:explanation|reason(?:ing)?|error (?:analysis|reason|description|"
    r"explanation)|analysis|justification|rationale|why|(?:why|how|what)[ \t’'][^:\n|]{0,30}\b(?:wrong|incorrect|"
    r"error|mistake))(?: (?:of|for|why|behind|it|this|that|here|is|in|with)\b[^:\n|]{0,50})?" + _END, re.I)
_ON = (r"(?: ?\([^)\n]{0,60}\)| (?:(?:continuing|continued|starting|beginning) )?(?:from|at|with)"
       r" (?:step [0-9]{1,4}|there|that step|the (?:incorrect|wrong) step)(?: on(?:wards?)?)?)?")
_SOLUTION = re.compile(
    r"(?:here(?: is|['’]s) )?(?:(?:the|my|a|full|fully|complete) ){0,3}(?:correct(?:ed)?|right|"
    r"revised|fixed|proper|rewritten|updated) (?:solution|steps?(?! ?#?[0-9])|continuation|version|"
    r"working|reasoning|calculations?|path)" + _ON + r"(?: (?:is|are|would be|reads|should be))?" + _END
    + r"|(?:(?:my|the) )?correct(?:ion|ed)" + _ON + _END + r"|solution" + _END, re.I)
_ORIGINAL = re.compile(
    r"(?:the )?(?:original|wrong|incorrect|previous|student['’]?s?)(?: (?:solution|steps?|answer|version|text)"
    r"(?: [0-9]{1,4})?)?" + _END, re.I)
_LABELS = {"step": LABEL, "explanation": _EXPLANATION, "solution": _SOLUTION, "original": _ORIGINAL}
_NUMBERING = re.compile(r"(?:\(?[0-9a-c][.)]|[✅❌🔍📝→➡✏️•·|]{1,3})[*_ \t]{0,6}")
_ALONE = re.compile(r"[\s*_#]{0,9}(?:step[ \t*_#]{0,4})?[0-9]{1,4}[*_.: \t]{0,9}(?:\n|$)", re.I)
_ONLY_NAMED = re.compile(
    r"[\s*_#>|:：–—-]{0,9}(?:(?:the )?(?:first )?(?:incorrect|wrong|error|erroneous) steps?(?: is)?"
    r"[*_:： \t]{0,6})?(?:is )?"
    r"(?:steps?[ \t*_]{0,4}#?)?[0-9]{1,4}(?: ?(?:,|and|&|-|–|to) ?(?:steps? )?[0-9]{1,4}){0,3}[*_]{0,3}"
    r"(?: (?:is|are|was)(?: the| an)?(?: first)? (?:wrong|incorrect|error|incorrect step|wrong step|mistake))?"
    r"(?P<end>[*_ \t.:：|–—-]{0,9})(?=\n|$|\S)", re.I)


class _Section(NamedTuple):
    label: str  # step | explanation | solution | original | "" before the first label
    text: str  # without the label
    opening: str = ""  # the label as it stands there


def parse_correction(reply: str) -> Parsed | Unparsed:
    """Reads a corrector's reply in whatever dress: labels, headings, lists, bold, JSON, fences, thoughts, prose,
    and politeness around it."""
    if len(reply) > LONGEST:
        return Unparsed("longer than a correction can be")
    sections = _sections(opened(reply))
    place, solution = _solution(sections)
    before = _merged(sections[:place])
    named = _named(before)
    if not named:
        return Unparsed("finds no mistake" if named == [] or finds_nothing(_plain(before)) else "no step named")
    if solution is None:
        place, solution, before = _unlabelled(sections, named)
    if len(named) > 1:
        named = [number for number in named if solution and number == solution.first_number]
        if not named:
            return Unparsed("names several steps")
    step = named[0]
    explanation = _explanation(before, sections[place + 1:], step)
    if not explanation:
        return Unparsed("no explanation")
    if solution is None:
        return Unparsed("no corrected solution")
    if not solution.steps:
        return Unparsed(solution.lacks)
    first = solution.first_number or (step if solution.has_dots or step == 1 else 1)
    steps, first = _whole(solution, step, first)
    if not steps:
        return Unparsed("leaves corrected steps out")
    return Parsed(step, explanation, steps, first, solution.has_dots, _quote(before, step))


def _sections(text: str) -> list[_Section]:
    """The text cut at its labels, in order."""
    found, label, lines, opening = [], "", [], ""
    for line in text.split("\n"):
        bare = line.lstrip(DECORATION + "|")
        if numbering := _NUMBERING.match(bare):
            behind = bare[numbering.end():].lstrip(DECORATION)
            bare = behind if _label(behind)[0] else bare
        kind, end = _label(bare)
        if kind and not _belongs(kind, label, found, lines):
            found.append(_Section(label, "\n".join(lines), opening))
            label, lines, opening = kind, [bare[end:]], bare[:end]
        else:
            lines.append(line)
    return [*found, _Section(label, "\n".join(lines), opening)]


def _label(line: str) -> tuple[str, int]:
    """(kind of label that opens the line, where its text begins)."""
    if len(line) > 1 and line[0].isalpha():
        for kind, pattern in _LABELS.items():
            if match := pattern.match(line):
                return kind, match.end()
    return "", 0


def _belongs(kind: str, label: str, found: Sequence[_Section], lines: Sequence[str]) -> bool:
    """Whether a label inside numbered corrected steps is part of them: a reason that a step gives, once the
    explanation has come."""
    if kind != "explanation" or label != "solution":
        return False
    numbered = any(STEP.match(line.lstrip(DECORATION)) for line in lines)
    return numbered and any(one.label == "explanation" for one in found)


def _solution(sections: Sequence[_Section]) -> tuple[int, Solution | None]:
    """(place, the corrected solution): the first labelled section with numbered steps, else the last that has
    lines at all, else the last that has the label."""
    labelled = [(place, solution_of(one.text)) for place, one in enumerate(sections) if one.label == "solution"]
    for wanted in (lambda one: one.first_number, lambda one: one.steps, lambda one: True):
        fitting = [pair for pair in labelled if wanted(pair[1])]
        if fitting:
            return fitting[0 if fitting[0][1].first_number else -1]
    return len(sections), None


def _merged(before: Sequence[_Section]) -> list[_Section]:
    """The sections before the corrected solution; what looked like its label there was a sentence of the section
    above."""
    found: list[_Section] = []
    for one in before:
        if one.label == "solution" and found:
            found[-1] = found[-1]._replace(text=f"{found[-1].text}\n{one.opening}{one.text}")
        else:
            found.append(one)
    return found


def _named(before: Sequence[_Section]) -> list[int] | None:
    """The steps that are named before the solution; [] where it says that there is none, None where it says
    nothing."""
    labelled = [behind_label(one.text) for one in before if one.label == "step"]
    numbers = list(dict.fromkeys(number for number in labelled if number))
    if numbers:
        return numbers
    if 0 in labelled:
        return []
    head = before[0].text if before and not before[0].label else ""
    opening = opens_with(head)
    if opening and _ALONE.match(head):
        return [opening]  # the prompt ended in the cue
    told = [one.text for one in before if one.label not in ("step", "original")]
    for text in (head, "\n".join(told)):
        if finds_nothing(text):
            return []
        if found := blamed(text):
            return found
    return [opening] if opening else None


def _unlabelled(sections: list[_Section], named: Sequence[int]) -> tuple[int, Solution | None, list[_Section]]:
    """The corrected solution where no label announces it: the only run of numbered steps behind the naming that
    begins with the named step or with the first."""
    text = sections[-1].text if sections[-1].label != "original" else ""
    lines = text.split("\n")
    numbers = [(place, int(match[1])) for place, line in enumerate(lines)
               if (match := STEP.match(line.lstrip(DECORATION))) and (place or sections[-1].label)]
    starts = [place for place, number in numbers if number in (named[0], 1)
              and (number == named[0] or not any(n == 1 for p, n in numbers if p != place))]
    counted = [number - at for at, (_, number) in enumerate(numbers)]
    if not numbers or starts[:1] != [numbers[0][0]] or len(set(counted)) > 1:
        return len(sections), None, sections
    cut = numbers[0][0]
    before = [*sections[:-1], _Section(sections[-1].label, "\n".join(lines[:cut]))]
    return len(before), solution_of("\n".join(lines[cut:])), before


def _explanation(before: Sequence[_Section], after: Sequence[_Section], step: int) -> str:
    """The explanation: a labelled one behind the label that names the step, else the last before the solution,
    else one after it, else what stands behind the naming."""
    naming = [place for place, one in enumerate(before) if one.label == "step" and behind_label(one.text) == step]
    own = before[naming[-1] + 1:] if naming else ()
    following = [one.text for one in takewhile(lambda one: one.label != "step", own) if one.label == "explanation"]
    labelled = following[-1:] or [one.text for one in (*after, *before) if one.label == "explanation"]
    if labelled and (told := _tidy(labelled[-1])):
        return told
    behind = before[naming[-1]] if naming else next((one for one in before if one.label != "original"), None)
    return _tidy(_without_naming(behind.text)) if behind else ""


def _without_naming(text: str) -> str:
    """The text less a beginning that only names the step."""
    naming = _ONLY_NAMED.match(text)
    if naming is None or (not naming["end"].strip() and not text[naming.end():].startswith("\n")):
        return text
    return text[naming.end():]


def _tidy(text: str) -> str:
    """An explanation without the marks, the rule and the number of a list that end it."""
    text = re.sub(r"\n[\s*_>#-]{0,12}(?:[0-9]{1,2}[.)])?[\s*_>#|-]{0,12}$", "", text[:HEAD].rstrip())
    text = text.strip().strip("|").strip().lstrip("*_ ") if text.lstrip().startswith(("**", "__", "|")) else text
    return text.strip().rstrip(DECORATION + "|").rstrip()


def _whole(solution: Solution, step: int, first: int) -> tuple[tuple[str, ...], int]:
    """The corrected steps without placeholders ("unchanged") for those before the named one; none where one
    stands for a later step."""
    steps = solution.steps
    while steps and steps[0] == "" and first < step:
        steps, first = steps[1:], first + 1
    return (() if "" in steps else steps), first


def _quote(before: Sequence[_Section], step: int) -> str:
    labelled = [one for one in before if one.label == "step" and behind_label(one.text) == step]
    if labelled:
        text = labelled[-1].text.lstrip(" \t:*_")
        head = text if text.lower().startswith("step") else f"Step {text}"
        return quoted(head, step, labelled=any(one.label == "explanation" for one in before))
    return quoted(before[0].text, step, labelled=False) if before else ""


def _plain(sections: Sequence[_Section]) -> str:
    return "\n".join(one.text for one in sections)

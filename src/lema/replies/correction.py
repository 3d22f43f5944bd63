"""A corrector's reply read: the named step, why it is wrong, and the corrected steps.

One design decision: a reply is a row of labelled sections; where labels are missing, prose has to say the same
without doubt (one step blamed, one run of numbered steps), else the reply is `Unparsed`: nothing is guessed.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

from lema.replies.marks import DECORATION, step_mark
from lema.replies.naming import HEAD, LABEL, behind_label, blamed, finds_nothing, opens_with, quoted
from lema.replies.opened import LONGEST, opened
from lema.replies.solution import Solution, solution_of
from lema.replies.written import Parsed, Unparsed

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


class Section(NamedTuple):
    label: str  # step | explanation | solution | original | "" before the first label
    text: str  # without the label
    opening: str = ""  # the label as it stands there

    @property
    def step(self) -> int | None:
        """The step that it names where its label is that of the named step; 0 where it says that there is none."""
        return behind_label(self.text) if self.label == "step" else None


def parse_correction(reply: str) -> Parsed | Unparsed:
    """Reads a corrector's reply in whatever dress: labels, headings, lists, bold, JSON, fences, thoughts, prose,
    and politeness around it."""
    if len(reply) > LONGEST:
        return Unparsed("longer than a correction can be")
    sections = sections_of(opened(reply))
    place, solution = solution_in(sections)
    before = _merged(sections[:place])
    named = named_in(before)
    if not named:
        return Unparsed("finds no mistake" if named == [] or finds_nothing(_plain(before)) else "no step named")
    if solution is None:
        place, solution, before = unlabelled_in(sections, named)
    step = named[0]
    if len(named) > 1:  # the corrected steps may tell which of them is meant
        if solution is None or solution.first_number not in named:
            return Unparsed("names several steps")
        step = solution.first_number
    explanation = explanation_in(before, sections[place + 1:], step)
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
    return Parsed(step, explanation, steps, first, solution.has_dots, quote_in(before, step))


def sections_of(text: str) -> list[Section]:
    """The text cut at its labels, in order."""
    sections, label, lines, opening = [], "", [], ""
    for line in text.split("\n"):
        bare = line.lstrip(DECORATION + "|")
        if numbering := _NUMBERING.match(bare):
            behind = bare[numbering.end():].lstrip(DECORATION)
            bare = behind if _label(behind)[0] else bare
        kind, end = _label(bare)
        if kind and not _belongs(kind, label, sections, lines):
            sections.append(Section(label, "\n".join(lines), opening))
            label, lines, opening = kind, [bare[end:]], bare[:end]
        else:
            lines.append(line)
    return [*sections, Section(label, "\n".join(lines), opening)]


def _label(line: str) -> tuple[str, int]:
    """(kind of label that opens the line, where its text begins)."""
    if len(line) > 1 and line[0].isalpha():
        for kind, pattern in _LABELS.items():
            if match := pattern.match(line):
                return kind, match.end()
    return "", 0


def _belongs(kind: str, label: str, before: Sequence[Section], lines: Sequence[str]) -> bool:
    """Whether a label inside numbered corrected steps is part of them: a step's reason, behind the explanation."""
    if kind != "explanation" or label != "solution" or not _of(before, "explanation"):
        return False
    return any(map(step_mark, lines))


def _of(sections: Iterable[Section], *labels: str) -> list[Section]:
    """The sections with one of these labels."""
    return [section for section in sections if section.label in labels]


def solution_in(sections: Sequence[Section]) -> tuple[int, Solution | None]:
    """(place, the corrected solution): the first labelled section with numbered steps, else the last that has
    lines at all, else the last that has the label."""
    place, best = len(sections), None
    for at, section in enumerate(sections):
        if section.label == "solution":
            solution = solution_of(section.text)
            if solution.first_number:
                return at, solution
            if best is None or solution.steps or not best.steps:
                place, best = at, solution
    return place, best


def _merged(before: Sequence[Section]) -> list[Section]:
    """The sections before the corrected solution; what looked like its label there belongs to the one above."""
    merged: list[Section] = []
    for section in before:
        if section.label == "solution" and merged:
            merged[-1] = merged[-1]._replace(text=f"{merged[-1].text}\n{section.opening}{section.text}")
        else:
            merged.append(section)
    return merged


def named_in(before: Sequence[Section]) -> list[int] | None:
    """The steps named before the solution; [] where it says that there is none, None where it says nothing."""
    labelled = [section.step for section in _of(before, "step")]
    if numbers := list(dict.fromkeys(filter(None, labelled))):
        return numbers
    if 0 in labelled:
        return []
    head = before[0].text if before and not before[0].label else ""
    opening = opens_with(head)
    if opening and _ALONE.match(head):
        return [opening]  # the prompt ended in the cue
    # What stands before any label is what the corrector says itself; only then its explanation may blame a step.
    for text in (head, _plain(_of(before, "", "explanation", "solution"))):
        if finds_nothing(text):
            return []
        if steps := blamed(text):
            return steps
    return [opening] if opening else None


def unlabelled_in(sections: list[Section], named: Sequence[int]) -> tuple[int, Solution | None, list[Section]]:
    """The corrected solution where no label announces it: the only run of numbered steps behind the naming that
    begins with the named step or with the first."""
    text = sections[-1].text if sections[-1].label != "original" else ""
    lines = text.split("\n")
    places, numbers = [], []
    for place, line in enumerate(lines):
        match = step_mark(line)
        if match and (place or sections[-1].label):  # the very first line of a reply names the step
            places.append(place)
            numbers.append(int(match[1]))
    if not numbers or numbers[0] not in (named[0], 1) or numbers != list(
            range(numbers[0], numbers[0] + len(numbers))):
        return len(sections), None, sections
    before = [*sections[:-1], Section(sections[-1].label, "\n".join(lines[:places[0]]))]
    return len(before), solution_of("\n".join(lines[places[0]:])), before


def _naming(before: Sequence[Section], step: int) -> int | None:
    """The place of the last labelled section that names the step."""
    return max((place for place, section in enumerate(before) if section.step == step), default=None)


def explanation_in(before: Sequence[Section], after: Sequence[Section], step: int) -> str:
    """The explanation: a labelled one behind the label that names the step, else the last before the solution,
    else one after it, else what stands behind the naming."""
    naming = _naming(before, step)
    behind = before[naming + 1:] if naming is not None else ()
    following = _of(takewhile(lambda section: section.label != "step", behind), "explanation")
    labelled = following or _of((*after, *before), "explanation")
    if labelled and (explanation := _tidy(labelled[-1].text)):
        return explanation
    if naming is not None:
        return _tidy(_without_naming(before[naming].text))
    own = _of(before, "", "step", "explanation", "solution")
    return _tidy(_without_naming(own[0].text)) if own else ""


def _without_naming(text: str) -> str:
    """The text less a beginning that only names the step."""
    naming = _ONLY_NAMED.match(text)
    if naming is None:
        return text
    rest = text[naming.end():]
    return text if rest and not naming["end"].strip() and not rest.startswith("\n") else rest


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


def quote_in(before: Sequence[Section], step: int) -> str:
    naming = _naming(before, step)
    if naming is not None:
        text = before[naming].text.lstrip(" \t:*_")
        head = text if text.lower().startswith("step") else f"Step {text}"
        return quoted(head, step, labelled=bool(_of(before, "explanation")))
    return quoted(before[0].text, step, labelled=False) if before else ""


def _plain(sections: Sequence[Section]) -> str:
    return "\n".join(section.text for section in sections)

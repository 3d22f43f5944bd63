"""Steps: how a reasoning path becomes numbered steps, and how a correction is written and read back.

One design decision: everything is read line by line with short bounded patterns, so that reading is linear in
the text whatever a model writes; what cannot be read comes back as `Unparsed` with the reason, never as an error.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_MARK = re.compile(r"<<[^<>\n]*>>")
_STEP = re.compile(
    r"step[ \t]{0,3}#?([0-9]{1,4})[*_]{0,3}[ \t]{0,3}(?::[*_]{0,3}|[.)–—-][*_]{0,3}(?=[ \t]|$))", re.I)
_FINAL = re.compile(r"(?:#{4}|A:)[ \t]*(?=\S)")
_ANSWER_SENTENCE = re.compile(r"(?:so|thus|hence|therefore)?,? ?(?:the )?(?:final )?answer(?: is\b|:)", re.I)
_CUE = re.compile(r"(?<!\bno )\b(?:incorrect|wrong|erroneous|error)[ \t]{1,3}steps?\b", re.I)
_NAMED = re.compile(
    r"[\s:*_#\"'(\[]{0,9}(?:(?:is|number|step)\b[\s:*_#]{0,4}){0,3}([0-9]{1,4})(?!\w|[.,][0-9])", re.I)
_STEP_NUMBER = re.compile(r"\bstep[ \t*_#]{0,4}([0-9]{1,4})(?!\w|[.,][0-9])", re.I)
_DENIAL = re.compile(r"\b(?:none|no|not|nothing|n/a|correct|right)\b", re.I)
_EXPLANATION = re.compile(r"\b(?:explanation|reason)[*_ \t]{0,4}:[*_]{0,3}", re.I)
_SOLUTION = re.compile(r"\bcorrect(?:ed)?[ \t]{1,3}(?:solution|steps)[*_ \t]{0,4}:[*_]{0,3}", re.I)
_MISTAKES = re.compile(r"\bmistakes?[*_ \t]{0,4}:[*_]{0,3}", re.I)
_REWRITE = re.compile(r"\bcorrect(?:ed)?[ \t]{1,3}answer[*_ \t]{0,4}:[*_]{0,3}", re.I)
_NEXT_EXAMPLE = re.compile(r"(?:question|problem)[ \t]{0,3}:", re.I)
_LINE_ENDS = dict.fromkeys((0x0D, 0x2028, 0x2029), "\n")
_DECORATION = " \t#*_>-"
_DOTS = frozenset(("...", "…", ". . .", "....", "[...]", "(...)"))


class Parsed(NamedTuple):
    """A correction as read. `steps` are texts without numbers; `first_number` is the number that the corrector
    gave the first of them, which a good correction makes equal to `step`."""

    step: int
    explanation: str
    steps: tuple[str, ...]
    first_number: int
    has_dots: bool  # whether "..." stands before the first corrected step
    quote: str = ""  # what the corrector repeats of the named step, where it does


class Rewrite(NamedTuple):
    """A correction of an answer that has no steps: what was wrong, and the whole answer anew."""

    mistakes: str
    answer: str


class Unparsed(NamedTuple):
    """A reply that is not a correction, and why not."""

    reason: str


def drop_calculator_marks(text: str) -> str:
    """The text without GSM8K's <<48/2=24>> marks."""
    return _MARK.sub("", text)


def split_steps(text: str) -> tuple[str, ...]:
    """The steps of a path, without their numbers; each is one line.

    Numbered text ("Step 2: ...") is cut at its numbers, and the lines below a numbered line belong to it; a
    lead-in before Step 1 is no step. Text without numbers has one step per line. A last line "#### 5" or "A: 5"
    becomes the answer step.
    """
    lines = [line for raw in _with_line_ends(text).split("\n") if (line := raw.strip())]
    answer = ()
    if lines and (final := _FINAL.match(lines[-1])):
        answer = (answer_sentence(lines.pop()[final.end():]),)
    numbered = list(_numbered(lines))
    if all(number is None for number, _ in numbered):
        return (*lines, *answer)
    first = next(number for number, _ in numbered if number is not None)
    kept = [text for number, text in numbered if number is not None or first != 1]
    return (*(text for text in kept if text), *answer)


def answer_sentence(value: str) -> str:
    """The sentence that closes every path: "The answer is 5."."""
    return f"The answer is {value.strip().removesuffix('.')}."


def number_steps(steps: Sequence[str], start: int = 1) -> str:
    """The steps as lines "Step 1: ...", "Step 2: ...", the first being number `start`."""
    return "\n".join(f"Step {number}: {step}" for number, step in enumerate(steps, start))


def render_correction(step: int, explanation: str, steps: Sequence[str]) -> str:
    """What follows the cue "Incorrect Step:"; the line "..." stands for the kept steps, where there are any."""
    dots = "...\n" if step > 1 else ""
    solution = number_steps(steps, step)
    return f" Step {step}.\nExplanation: {explanation}\nCorrect Solution:\n{{\n{dots}{solution}\n}}"


def render_rewrite(mistakes: str, answer: str) -> str:
    """What follows the cue "Mistakes:" of a path without steps: what was wrong, and the whole answer anew."""
    return f" {mistakes}\nCorrected Answer:\n{{\n{answer}\n}}"


def rejoin(path_steps: Sequence[str], step: int, corrected_steps: Sequence[str]) -> tuple[str, ...]:
    """The whole corrected path: the steps before number `step`, then the corrected ones.

    Raises ValueError where the path has no step of that number.
    """
    if not 1 <= step <= len(path_steps):
        raise ValueError(f"step {step} of a path of {len(path_steps)}")
    return (*path_steps[:step - 1], *corrected_steps)


def parse_correction(reply: str) -> Parsed | Unparsed:
    """Reads a corrector's reply, with or without the cue, braces, bold and chatter around its three parts."""
    text = _with_line_ends(reply)
    explained = _EXPLANATION.search(text)
    solved = _at_line_start(_SOLUTION, text, explained.end() if explained else 0)
    head = text[:explained.start() if explained else solved.start() if solved else len(text)]
    step = _named_step(head)
    if step is None:
        return Unparsed("no step named")
    explanation = text[explained.end():solved.start() if solved else len(text)] if explained else ""
    explanation = explanation.strip().rstrip(_DECORATION).rstrip()
    if not explanation:
        return Unparsed("no explanation")
    if solved is None:
        return Unparsed("no corrected solution")
    numbers, steps, has_dots = _body(text[solved.end():])
    if not steps:
        return Unparsed("no corrected steps")
    return Parsed(step, explanation, steps, numbers[0], has_dots, _quote(head, step))


def parse_rewrite(reply: str) -> Rewrite | Unparsed:
    """Reads the reply to a path without steps: "Mistakes: ..." and "Corrected Answer:" in braces."""
    text = _with_line_ends(reply)
    solved = _at_line_start(_REWRITE, text, 0)
    if solved is None:
        return Unparsed("no corrected answer")
    head = text[:solved.start()]
    marker = _MISTAKES.search(head)
    mistakes = head[marker.end() if marker else 0:].strip().rstrip(_DECORATION).rstrip()
    if not mistakes:
        return Unparsed("no mistake named")
    answer = "\n".join(_solution_lines(text[solved.end():])).strip()
    return Rewrite(mistakes, answer) if answer else Unparsed("no corrected answer")


def _with_line_ends(text: str) -> str:
    """The text with "\\n" as its only line end."""
    return text.replace("\r\n", "\n").translate(_LINE_ENDS)


def _numbered(lines: Sequence[str]) -> Iterator[tuple[int | None, str]]:
    """(number, text) per step. Lines below a numbered one join it, but an answer sentence stands alone; lines
    before the first number come singly with None."""
    number: int | None = None
    parts: list[str] = []
    for line in lines:
        bare = line.lstrip(_DECORATION)
        if match := _STEP.match(bare):
            if number is not None:
                yield number, " ".join(parts)
            number, parts = int(match[1]), _opening(line, bare, match)
        elif number is None:
            yield None, line
        elif parts and _ANSWER_SENTENCE.match(bare):
            yield number, " ".join(parts)
            number, parts = number + 1, [line]
        else:
            parts.append(line)
    if number is not None:
        yield number, " ".join(parts)


def _opening(line: str, bare: str, match: re.Match) -> list[str]:
    """The text behind a step's number, without the end of a bold that began before it."""
    text = bare[match.end():].strip()
    bold = line[:len(line) - len(bare)].strip()
    if bold.endswith("*") and not match[0].endswith("*"):
        text = text.removesuffix("**").rstrip()
    return [text] if text else []


def _at_line_start(pattern: re.Pattern, text: str, position: int) -> re.Match | None:
    """The first match that opens a line (behind bold or heading marks), else the first match at all."""
    first = None
    for match in pattern.finditer(text, position):
        first = first or match
        before = "\n" + text[max(0, match.start() - 9):match.start()] if match.start() < 9 else (
            text[match.start() - 9:match.start()])
        if before.rstrip(_DECORATION).endswith("\n"):
            return match
    return first


def _named_step(head: str) -> int | None:
    """The step that the text before the explanation names: behind a cue, or else at its beginning."""
    tails = [head[cue.end():cue.end() + 400] for cue in _CUE.finditer(head)] or [head.strip()[:400]]
    for tail in tails:
        if named := _NAMED.match(tail):
            return int(named[1]) or None
    line = tails[-1].strip().split("\n", 1)[0]
    numbers = {int(number) for number in _STEP_NUMBER.findall(line)}
    if len(numbers) != 1 or _DENIAL.search(line):
        return None
    return numbers.pop() or None


def _quote(head: str, step: int) -> str:
    """The words of the named step that stand behind its number, at least three of them; else nothing."""
    named = re.search(rf"step[ \t*_#]{{0,4}}{step}[*_]{{0,3}}[ \t]{{0,3}}(?:[:.–—-]|(?=[(\"“]))", head, re.I)
    quote = head[named.end():named.end() + 2000].strip().strip(_DECORATION + "\"“”'()[]{}\n") if named else ""
    return quote if len(quote.split()) >= 3 else ""


def _solution_lines(body: str) -> list[str]:
    """The lines between the braces; without braces, up to the next question or the end."""
    lines: list[str] = []
    opened = False
    for raw in body.split("\n"):
        line = raw.strip()
        if line.startswith("```"):
            continue
        if not lines and not opened and line.startswith("{"):
            opened, line = True, line[1:].strip()
        if line == "}" or _NEXT_EXAMPLE.match(line):
            break
        if line:
            lines.append(line)
    if lines and lines[-1].endswith("}") and lines[-1].count("}") > lines[-1].count("{"):
        lines[-1] = lines[-1][:-1].rstrip()
    return lines


def _body(body: str) -> tuple[list[int], tuple[str, ...], bool]:
    """The numbers and texts of the corrected steps, and whether dots stand before them."""
    lines = _solution_lines(body)
    numbered = list(_numbered([line for line in lines if line not in _DOTS]))
    has_dots = False
    for line in lines:
        if _STEP.match(line.lstrip(_DECORATION)):
            break
        has_dots = has_dots or line in _DOTS
    kept = [(number, text) for number, text in numbered if number is not None and text]
    return [number for number, _ in kept], tuple(text for _, text in kept), has_dots

"""Prompts: text files with {{ variables }}, found by name or by the user's path.

One design decision: a prompt is its text; it is rendered by a sandboxed jinja2 that refuses what it does not
know, and its id holds a hash of the text, so an edited prompt is another prompt. A user's file without any
variable (a few-shot prompt as published) is sent as it stands, and the question is put behind it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lema.errors import ConfigError
from lema.plugins import near_miss
from lema.records import Question, content_id
from lema.replies import number_steps, own_text, split_steps

CUE = "Incorrect Step:"
"""What a correction follows at once, behind one space; every other prompt ends with a line end."""

REWRITE_CUE = "Mistakes:"
"""The same for the correction of an answer without steps, which is written anew as a whole."""

CRITIQUE_CUE = "Critique:"
"""The same for the critique of a path, right or wrong."""

FOLDER = Path(__file__).parents[1] / "prompts"
_ORIGINAL = re.compile(r"^((?:Original|Wrong|Student'?s?) (?:Solution|Answer)):[ \t]*$", re.M)
_JUDGED = re.compile(r"^((?:[A-Z][a-z']{1,20} )?(?:Solution|Answer|Response)):[ \t]*$", re.M)
_NEXT_QUESTION = re.compile(r"\n[ \t]*\n(?=(?:Question|Problem)[ \t]{0,3}:)")
USES = {"correct": (("question", "steps", "stem", "choices"), ("question or stem", "steps")),
        "solve": (("question",), ("question",)), "evolve": (("question",), ("question",)),
        "correct_step": (("question", "steps", "stem", "choices", "reason"), ("question or stem", "steps")),
        "again": (("problem", "answer", "cue"), ())}
"""What a prompt for each use may hold, and what it must, if it holds any variable at all."""

_SINGLE = re.compile(r"(?<!\{)\{[ \t]?(question|steps|stem|choices|problem|answer|solution)[ \t]?\}(?!\})")
_VARIABLE = re.compile(r"\{\{-?\s*[A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's text with its name; `id` is the name and a hash of the text."""

    name: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.name}-{content_id(self.text)[:8]}"

    def render(self, **values: str) -> str:
        """The prompt with its variables filled in. ConfigError names a variable that is not among `values`.

        A text without variables gets its question block appended in the layout of its own examples: the question,
        and where there are `steps` the wrong path in braces and the cue.
        """
        if not _variables(self.name, self.text):
            block = f"\n\n{_question_block(self, values)}" if "question" in values else "\n"
            return self.text.rstrip() + block
        from jinja2 import UndefinedError
        from jinja2.exceptions import SecurityError

        try:
            text = _template(self.text).render(values).rstrip()
        except (UndefinedError, SecurityError) as error:
            raise ConfigError(f"prompt {self.name}: {error}; it may use {', '.join(sorted(values))}") from None
        return text if text.endswith((CUE, REWRITE_CUE, CRITIQUE_CUE)) else text + "\n"

    def fitting(self, use: str) -> "Prompt":
        """The same, if its variables are those of such a prompt. ConfigError where it would be sent without what
        it is about, or with a variable that does not exist."""
        may, must = USES.get(use, ((), ()))
        used = _variables(self.name, self.text)
        if may and not used and (single := _SINGLE.search(self.text)):
            raise ConfigError(f"prompt {self.name}: {single[0]} stands in single braces; write {{{{ {single[1]} "
                              "}}")
        for name in sorted(used - set(may) if may else ()):
            raise ConfigError(f"prompt {self.name}: {name!r} is undefined{near_miss(name, list(may))}; it may "
                              f"use {', '.join(may)}")
        for wanted in must if used else ():
            if not used & set(wanted.split(" or ")):
                raise ConfigError(f"prompt {self.name}: nowhere holds {{{{ {wanted} }}}}; put it where it belongs")
        return self

    @property
    def cue(self) -> str:
        """What its reply follows: "Critique:" where a path is judged, "Mistakes:" where a whole answer is written
        anew, else "Incorrect Step:"."""
        if self.text.rstrip().endswith(CRITIQUE_CUE) or re.search(rf"^{CRITIQUE_CUE}", self.text, re.M):
            return CRITIQUE_CUE
        if self.text.rstrip().endswith(REWRITE_CUE) or (
                CUE not in self.text and re.search(rf"^{REWRITE_CUE}", self.text, re.M)):
            return REWRITE_CUE
        return CUE


def turns(text: str, cue: str) -> list[str]:
    """A rendered few-shot prompt as the turns of a conversation, the user's first: each worked example becomes
    a turn up to its cue and the reply behind it. A text with one cue only is one turn."""
    first, *rest = text.split(cue)
    conversation = [first + cue]
    for part in rest[:-1]:
        reply, following = part, ""  # the last gap counts: a reply may hold blank lines of its own
        for gap in _NEXT_QUESTION.finditer(part):
            reply, following = part[:gap.start()], part[gap.end():]
        if not following:
            return [text]
        conversation += [reply.strip(), following + cue]
    return conversation if text.endswith(cue) else [text]


def correction_values(question: Question, path: str, cue: str) -> dict[str, str]:
    """What a correction prompt may use: the question, its wrong path (numbered steps, or as it is where it is
    written anew), and the question's stem and choices apart."""
    lines = question.text.split("\n")
    stem = "\n".join(lines[:-len(question.choices)]) if question.choices else question.text
    steps = own_text(path).strip() if cue == REWRITE_CUE else number_steps(split_steps(path))
    return {"question": question.text, "steps": steps, "stem": stem or question.text,
            "choices": ", ".join(question.choices)}


def critique_values(question: Question, path: str) -> dict[str, str]:
    """What a critique prompt may use: what a correction prompt may, and the path as it was written."""
    return {**correction_values(question, path, CRITIQUE_CUE), "path": own_text(path).strip()}


def find_prompt(name_or_path: str, task_name: str) -> Prompt:
    """The user's file at that path, else the task's own prompt of that name, else the general one.

    Whatever holds a slash or ends in ".txt" is a path. ConfigError where there is none, or where its jinja
    cannot be read.
    """
    if "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith(".txt"):
        file = Path(name_or_path).expanduser()
        shipped = FOLDER / f"{name_or_path}.txt"  # "csqa/correct": another task's prompt
        file, name = (shipped, name_or_path) if shipped.is_file() and not file.is_file() else (file, file.stem)
    else:
        name = name_or_path
        places = (FOLDER / task_name / f"{name}.txt", FOLDER / f"{name}.txt")
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            names = sorted({path.stem for place in places for path in place.parent.glob("*.txt")})
            raise ConfigError(f"prompt: no {name!r}{near_miss(name, names)} (a path names a file of your own)")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"prompt {name_or_path}: cannot be read ({reason}); check the path") from None
    if not text.strip():
        raise ConfigError(f"prompt {name_or_path}: empty; write the instruction and {{{{ question }}}} into it")
    _variables(name, text)
    return Prompt(name, text)


@cache
def _environment():
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True,
                                         lstrip_blocks=True)


@cache
def _template(text: str):
    return _environment().from_string(text)


@cache
def _variables(name: str, text: str) -> frozenset[str]:
    """The variables of a prompt; none where its braces are no jinja. ConfigError for jinja that is broken."""
    from jinja2 import TemplateSyntaxError, meta

    try:
        return frozenset(meta.find_undeclared_variables(_environment().parse(text)))
    except TemplateSyntaxError as error:
        if _VARIABLE.search(text):
            raise ConfigError(f"prompt {name}, line {error.lineno}: {error.message}; "
                              "mend the {{ }} or {% %} there") from None
        return frozenset()


def _question_block(prompt: Prompt, values: Mapping[str, str]) -> str:
    question = f"Question: {values['question']}"
    if "steps" not in values:
        return f"{question}\n"
    if values.get("choices") and "\nCandidate Answers:" in prompt.text:
        question = f"Question: {values['stem']}\nCandidate Answers: {values['choices']}."
    pattern, label = (_JUDGED, "Solution") if prompt.cue == CRITIQUE_CUE else (_ORIGINAL, "Original Solution")
    if match := pattern.search(prompt.text):
        label = match[1]
    return f"{question}\n{label}:\n{{\n{values['steps']}\n}}\n{prompt.cue}"

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
from lema.records import content_id
from lema.seams import near_miss

CUE = "Incorrect Step:"
"""What a correction follows at once, behind one space; every other prompt ends with a line end."""

FOLDER = Path(__file__).parent / "prompts"
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

        A text without variables gets its question block appended: the question, and where there are `steps`
        the numbered wrong path in braces and the cue "Incorrect Step:".
        """
        if not _variables(self.name, self.text):
            return f"{self.text.rstrip()}\n\n{_question_block(values)}"
        from jinja2 import UndefinedError
        from jinja2.exceptions import SecurityError

        try:
            return _ended(_template(self.text).render(values))
        except (UndefinedError, SecurityError) as error:
            raise ConfigError(f"prompt {self.name}: {error}; it may use {', '.join(sorted(values))}") from None


def find_prompt(name_or_path: str, task_name: str) -> Prompt:
    """The user's file at that path, else the task's own prompt of that name, else the general one.

    Whatever holds a slash or ends in ".txt" is a path. ConfigError where there is none, or where its jinja
    cannot be read.
    """
    if "/" in name_or_path or "\\" in name_or_path or name_or_path.endswith(".txt"):
        file = Path(name_or_path).expanduser()
        name = file.stem
    else:
        name = name_or_path
        places = (FOLDER / task_name / f"{name}.txt", FOLDER / f"{name}.txt")
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            known = sorted({path.stem for place in places for path in place.parent.glob("*.txt")})
            raise ConfigError(f"prompt: no {name!r}{near_miss(name, known)} (a path names a file of your own)")
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


def _question_block(values: Mapping[str, str]) -> str:
    question = f"Question: {values['question']}"
    if "steps" not in values:
        return f"{question}\n"
    return f"{question}\nOriginal Solution:\n{{\n{values['steps']}\n}}\n{CUE}"


def _ended(text: str) -> str:
    text = text.rstrip()
    return text if text.endswith(CUE) else text + "\n"

"""Which paths a teacher is asked about, in which order, and how its few-shot prompt is put.

One design decision: the order is made of ids alone, so that a budget is spent on the same paths however a run came
to ask about them, and on every question once before on any of them twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from lema.messages import Message
from lema.prompting import Prompt, turns
from lema.records import ReasoningPath, content_id
from lema.replies import split_steps
from lema.scratch import IdTable, TurnTable

Form = Literal["completion", "chat"]


def in_turn(folder: Path, paths: Iterable[ReasoningPath], most: int | None = None) -> TurnTable[ReasoningPath]:
    """First one path of every question, then a second of those that have one, and so on, at most `most` of each;
    within a turn in the order of their ids, which is as good as random and always the same. Of paths that have the
    same steps for the same question only the first."""
    return TurnTable(folder, ReasoningPath, most).fill(
        (path.question, path.id, path) for path in _distinct(folder, paths))


def _distinct(folder: Path, paths: Iterable[ReasoningPath]) -> Iterator[ReasoningPath]:
    with IdTable(folder) as seen:
        for path in paths:
            if seen.add(content_id(path.question, split_steps(path.text))):
                yield path


def messages(prompt: Prompt, form: Form, values: Mapping[str, str]) -> tuple[Message, ...]:
    """The prompt with its values as one text, or with its worked examples as the turns of a conversation."""
    text = prompt.render(**values)
    parts = turns(text, prompt.cue) if form == "chat" else [text]
    return tuple(Message("assistant" if place % 2 else "user", part) for place, part in enumerate(parts))

"""Which paths a teacher is asked about, in which order, and how its few-shot prompt is put.

One design decision: the order is made of ids alone, so that a budget is spent on the same paths however a run came
to ask about them, and on every question once before on any of them twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from lema.models import Message
from lema.prompting import Prompt, turns
from lema.records import ReasoningPath
from lema.steps import split_steps

Form = Literal["completion", "chat"]


def distinct(paths: Iterable[ReasoningPath]) -> Iterator[ReasoningPath]:
    """The first of every set of paths that have the same steps for the same question."""
    seen = set()
    for path in paths:
        key = (path.question, split_steps(path.text))
        if key not in seen:
            seen.add(key)
            yield path


def in_turn(paths: Iterable[ReasoningPath], most: int | None = None) -> Sequence[ReasoningPath]:
    """First one path of every question, then a second of those that have one, and so on, at most `most` of each;
    within a turn in the order of their ids, which is as good as random and always the same."""
    turns_: dict[str, int] = defaultdict(int)
    ordered = []
    for path in sorted(paths, key=lambda path: path.id):
        ordered.append((turns_[path.question], path.id, path))
        turns_[path.question] += 1
    return [path for turn, _, path in sorted(ordered, key=lambda item: item[:2]) if most is None or turn < most]


def messages(prompt: Prompt, form: Form, values: Mapping[str, str]) -> tuple[Message, ...]:
    """The prompt with its values as one text, or with its worked examples as the turns of a conversation."""
    text = prompt.render(**values)
    parts = turns(text, prompt.cue) if form == "chat" else [text]
    return tuple(Message("assistant" if place % 2 else "user", part) for place, part in enumerate(parts))

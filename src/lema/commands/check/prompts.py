"""The first prompt of every kind that a run sends, rendered, so that somebody can read it before it is sent.

One design decision: a path is put in where a prompt asks for one, since none is written yet; the rest is the first
training question and the prompt's own text.
"""

from collections.abc import Iterable, Iterator, Sequence

from lema.config import Config
from lema.prompting import correction_values, critique_values, find_prompt
from lema.records import Question
from lema.runs.run import Stage
from lema.runs.workload import workload
from lema.tasks import find_task

PATH = "Step 1: This is where a model's own steps stand.\nStep 2: The answer is 7."
SHOWN = 12
"""Lines of a prompt's end that are shown."""


def first_prompts(config: Config, waiting: Iterable[Stage], questions: Sequence[Question]) -> Iterator[str]:
    """A block of lines for every prompt, under the first stage that sends it."""
    question = next((each for each in questions if each.split == "train"), None)
    if question is None:
        return
    task, seen = find_task(config.task.name, config.task.own), set()
    for stage in waiting:
        work = workload(stage)
        if work is None:
            continue
        named = work.prompt or getattr(stage.settings, "prompt", None)
        if named in seen:
            continue
        seen.add(named)
        yield f"{stage.name} begins with:\n{_indented(_rendered(task, named, question))}"


def _rendered(task, named: str | None, question: Question) -> str:
    """The prompt of that name (None: the task's own question) about a question and, if it wants one, a path."""
    if named is None:
        return "\n\n".join(message.content for message in task.prompt(question))
    prompt = find_prompt(named, task.name)
    values = {**correction_values(question, PATH, prompt.cue), **critique_values(question, PATH)}
    return prompt.render(**values)


def _indented(text: str) -> str:
    lines = text.splitlines()
    left_out = [f"    … {len(lines) - SHOWN:,} lines before"] if len(lines) > SHOWN else []
    return "\n".join([*left_out, *(f"    | {line}" for line in lines[-SHOWN:])])

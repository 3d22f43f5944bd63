"""Training sets: one per arm, made of what its table takes.

One design decision: every kind of example is one function from records to examples, and a limit takes the
first of a seeded order, so that a bigger set contains the smaller one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from lema.errors import DataError
from lema.records import Correction, Example, Question, ReasoningPath, content_id
from lema.steps import number_steps, render_correction, split_steps
from lema.tables import AssembleConfig, Take
from lema.tools import Tools

VERSION = 1

Rows = tuple[Iterable, ...]
"""Questions, graded paths, verified corrections; what a round does not have is left out at the end."""


@dataclass(frozen=True)
class Round:
    """What one round offers: its questions, graded paths and verified corrections."""

    questions: dict[str, Question]
    graded: tuple[ReasoningPath, ...]
    verified: tuple[Correction, ...]


def assemble(tools: Tools, settings: AssembleConfig, teacher: tuple[Iterable[ReasoningPath], ...],
             *rounds: Rows) -> Iterator[Example]:
    """The arm's examples, each once, with their tokens counted as the base's tokenizer counts them.

    `rounds` are the rows of `settings.rounds` in that order; `teacher` holds the graded bought paths, if any.
    DataError where nothing is left.
    """
    offered = {name: _round(rows) for name, rows in zip(settings.rounds, rounds, strict=True)}
    bought = [path for paths in teacher for path in paths]
    count = _counter(tools, settings)
    seen: set[str] = set()
    for take in settings.take:
        examples = _made(tools, settings, take, offered[take.round], bought)
        for example in _limited(take, examples):
            if example.id not in seen:
                seen.add(example.id)
                prompt_tokens, tokens = count(example)
                yield replace(example, prompt_tokens=prompt_tokens, tokens=tokens)
                tools.show(len(seen))
    if not seen:
        raise DataError(f"arm {settings.arm}: no training example is left; see `lema show` for where they went, "
                        "or sample more paths")


def _made(tools: Tools, settings: AssembleConfig, take: Take, offered: Round,
          bought: list[ReasoningPath]) -> Iterator[Example]:
    if take.kind == "correction":
        return _corrections(tools, take, offered)
    if take.kind == "step":
        return _steps(tools, take, offered)
    if take.source == "worked":
        return _worked(tools, offered)
    if take.source == "teacher":
        return _right_paths(tools, take, offered, bought)
    models = (settings.base,) if take.source == "own" else take.models
    return _right_paths(tools, take, offered, [p for p in offered.graded if not models or p.model in models])


def _worked(tools: Tools, offered: Round) -> Iterator[Example]:
    for question in offered.questions.values():
        if question.solution and question.split == "train":
            yield Example(kind="cot", source="worked", prompt=_asked(tools, question),
                          completion=question.solution, question=question.id)


def _right_paths(tools: Tools, take: Take, offered: Round, paths: Iterable[ReasoningPath]) -> Iterator[Example]:
    for path in paths:
        if path.verdict == "right" and path.question in offered.questions:
            yield Example(kind="cot", source=take.source, question=path.question, parent=path.id,
                          prompt=_asked(tools, offered.questions[path.question]),
                          completion=number_steps(split_steps(path.text)),
                          teacher_tokens=path.tokens if take.source == "teacher" else 0)


def _corrections(tools: Tools, take: Take, offered: Round) -> Iterator[Example]:
    prompt = tools.prompt("train_correction")
    for correction, mistake in _kept(take, offered):
        question = offered.questions[correction.question]
        yield Example(kind="correction", source="corrections", question=question.id, parent=correction.id,
                      prompt=prompt.render(question=question.text, steps=number_steps(mistake)),
                      completion=render_correction(correction.step, correction.explanation, correction.steps),
                      teacher_tokens=correction.tokens)


def _steps(tools: Tools, take: Take, offered: Round) -> Iterator[Example]:
    for correction, mistake in _kept(take, offered):
        right = number_steps(mistake[:correction.step - 1])
        yield Example(kind="step", source="corrections", question=correction.question, parent=correction.id,
                      prompt=_asked(tools, offered.questions[correction.question]),
                      prefix=right + "\n" if right else "",
                      completion=number_steps(correction.steps, correction.step),
                      teacher_tokens=correction.tokens)


def _kept(take: Take, offered: Round) -> Iterator[tuple[Correction, tuple[str, ...]]]:
    """The verified corrections of the wanted models' mistakes, each with the steps of its mistake."""
    mistakes = {path.id: path for path in offered.graded}
    for correction in offered.verified:
        mistake = mistakes[correction.path]
        if correction.verified and (not take.models or mistake.model in take.models):
            yield correction, split_steps(mistake.text)


def _asked(tools: Tools, question: Question) -> str:
    return "\n\n".join(message.content for message in tools.task.prompt(question))


def _limited(take: Take, examples: Iterator[Example]) -> list[Example]:
    """Distinct examples, at most `per_question` of a question and `limit` in all; order by content."""
    chosen, of_question = [], Counter()
    for example in sorted({e.id: e for e in examples}.values(), key=lambda e: content_id("limit", e.id)):
        if take.per_question is None or of_question[example.question] < take.per_question:
            of_question[example.question] += 1
            chosen.append(example)
    return chosen[:take.limit]


def _round(rows: Rows) -> Round:
    questions, graded, verified = (*rows, (), ())[:3]
    return Round({question.id: question for question in questions}, tuple(graded), tuple(verified))


def _counter(tools: Tools, settings: AssembleConfig) -> Callable[[Example], tuple[int, int]]:
    """Counts (prompt tokens, trained tokens); zeros where no student is named that could count."""
    if settings.base is None:
        return lambda example: (0, 0)
    from lema.training.sft import count_tokens

    return count_tokens(tools.checkpoint(settings.base))

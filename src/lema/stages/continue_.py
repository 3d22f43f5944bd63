"""One-step corrections: a corrector writes the first wrong step anew, and the student goes on from there by
itself.

    {"question": "37835c9b8f2262cb", "text": "Step 1: Sam = 7 + 2 = 9.\\nStep 2: …", "verdict": "wrong", …}
    → {"step": 1, "text": "Sam = Mia * 2 = 7 * 2 = 14.", "agree": 3, "steps": ["Sam = …", …], …}

One design decision: questions go in blocks, and a block goes through all its tries before the next one is begun;
how large a block is follows from the budget and the mean cost so far alone. So the student writes many paths side
by side, a question is solved before money goes to another, and a run that was killed asks for the same again.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from lema.chains import NOT_GOING_ON, Continuation, StepCorrection
from lema.checks import CHECK, Checked, failed
from lema.checks.going_on import whole_path
from lema.config import Config, ContinueConfig, ContinueOneConfig, CorrectConfig
from lema.errors import ConfigError
from lema.examples import is_bought
from lema.grading import calculations
from lema.messages import Completion, Request
from lema.prompting import correction_values
from lema.prompting.order import in_turn, messages
from lema.records import Correction, Question, ReasoningPath, content_id
from lema.replies import Parsed, Unparsed, number_steps, parse_step, split_steps, states_the_answer
from lema.replies.marks import step_mark
from lema.runs.context import StageContext
from lema.runs.dependencies import no_prefix
from lema.runs.spending import within_budget
from lema.runs.workload import Workload
from lema.scratch import IdTable, ScratchTable, by_id
from lema.tasks import answers_to, verdict_on

VERSION = 4

FIRST, LEAST, MOST = 16, 4, 1024
"""Questions of the first block, when nothing is known of what one costs, and the fewest and most of any."""

CHECKED = ("complete", "parsed", "step", "quoted", "kept", "changed", "arithmetic", "earlier", "explanation")
"""The checks that one step can be held against; `explanation` where a reason was asked for."""

NONE_RIGHT = "no continuation ends in the gold answer"
TOO_FEW = "too few continuations end in the gold answer"


def continuing(config: Config, round_name: str, sampled: Iterable[str]) -> ContinueOneConfig | None:
    """The one-step corrections of a round whose paths are of the models `sampled`; None where none are asked for.
    ConfigError where a model cannot go on from a prefix."""
    table, corrector = config.going_on, config.correct
    bought = is_bought(map(attrgetter("take"), config.arms.values()), "continued", round_name)
    if not bought or (table is None and (corrector is None or corrector.extent == "whole")):
        return None
    table, corrector = table or ContinueConfig(), corrector or CorrectConfig(model=table.model)
    evolution = config.evolve.get(round_name)
    named = () if evolution and evolution.students else table.models or corrector.models
    students = tuple(model for model in sampled if not named or model in named)
    for model in students:
        if why := no_prefix(config, model):
            raise ConfigError(f"models.{model}: a student goes on from a corrected step, which this one cannot: "
                              f"{why}")
    drawn = {"temperature": table.temperature, "max_tokens": table.max_tokens}
    going_on = dataclasses.replace(config.sample.sampling,
                                   **{key: drawn[key] for key in drawn if drawn[key] is not None})
    if table.paths > 1 and going_on.temperature == 0:
        raise ConfigError("continue.paths > 1 are all alike at temperature 0; set continue.temperature")
    return ContinueOneConfig(
        model=table.model or corrector.model, students=students, form=corrector.form, asking=corrector.sampling,
        tokens=evolution.correction_tokens if evolution else table.tokens or corrector.tokens,
        prompt=table.prompt or (corrector.prompt if corrector.extent == "step" else None), reason=table.reason,
        going_on=going_on, solve=config.sample.prompt, paths=table.paths, agree=table.agree, tries=table.tries,
        order=table.order, alike=table.alike, checks=tuple(filter(config.verify.checks.__contains__, CHECKED)))


def continue_steps(context: StageContext, settings: ContinueOneConfig, questions: Iterable[Question],
                   graded: Iterable[ReasoningPath]) -> Iterator[StepCorrection]:
    """One row per one-step correction of the students' mistakes: first one of every question, then, of questions
    that are still unsolved, a second. What went on from a step and ended wrong is the next mistake, at most
    `settings.tries` times."""
    wrong = (path for path in graded if path.verdict == "wrong" and path.model in settings.students)
    with (by_id(context.folder, Question, questions) as texts, in_turn(context.folder, wrong) as mistakes,
          IdTable(context.folder) as solved, IdTable(context.folder) as corrected):
        work = _Corrections(context, settings, texts, solved, corrected)
        for block in work.blocks(mistakes):
            yield from work.through_all_tries(block)
            if settings.tokens is None:
                context.show(work.begun, len(mistakes))


class _Mistake(NamedTuple):
    """A wrong path that is to be corrected."""

    question: Question
    path: str  # the student's own one, with which it began
    student: str
    numbered: bool  # whether the student numbers its steps
    id: str
    steps: tuple[str, ...]
    first: int | None = None  # from where on it is no longer the student's own first path

    @property
    def owner(self) -> str:
        """Whose question it is: one that is solved by its student is not asked about again."""
        return content_id(self.question.id, self.student)

    def written(self, steps: Sequence[str]) -> str:
        """Steps as its student writes them, up to where the next one begins."""
        text = number_steps(steps) if self.numbered else "\n".join(steps)
        return text + "\n" if text else ""


class _Corrections:
    """The corrections of one stage; `solved` and `corrected` are ids of questions and of mistakes."""

    def __init__(self, context: StageContext, settings: ContinueOneConfig, texts: ScratchTable[Question],
                 solved: IdTable, corrected: IdTable) -> None:
        self.context, self.settings, self.texts = context, settings, texts
        self.solved, self.corrected = solved, corrected
        self.prompt = context.prompt("correct_step", settings.prompt)
        self.begun = self.spent = self.replies = 0

    def blocks(self, mistakes: Iterable[ReasoningPath]) -> Iterator[list[_Mistake]]:
        """The mistakes of questions that are not solved, no question twice in a block, while the budget lasts."""
        block, owners = [], set()
        for path in mistakes:
            question = self.texts.get(path.question)
            numbered = any(map(step_mark, path.text.split("\n")))
            mistake = _Mistake(question, path.id, path.model, numbered, path.id, split_steps(path.text))
            if mistake.owner in owners or len(block) == self._size():
                yield block
                block, owners = [], set()
            if self.settings.tokens is not None and self.spent >= self.settings.tokens:
                return
            if mistake.steps and mistake.owner not in self.solved and self._is_new(mistake):
                block.append(mistake)
                owners.add(mistake.owner)
        if block:
            yield block

    def _size(self) -> int | None:
        """How many questions the next block holds: half of what the budget should still reach."""
        if self.settings.order == "breadth":
            return None
        if self.settings.tokens is None:
            return MOST
        if not self.begun or not self.spent:
            return FIRST
        reach = (self.settings.tokens - self.spent) * self.begun / self.spent
        return max(LEAST, min(MOST, int(reach / 2)))

    def _is_new(self, mistake: _Mistake) -> bool:
        return self.corrected.add(content_id(mistake.owner, mistake.steps))

    def through_all_tries(self, mistakes: list[_Mistake]) -> Iterator[StepCorrection]:
        """The rows of a block, try by try; only what is still wrong is corrected again."""
        self.begun += len(mistakes)
        for attempt in range(1, self.settings.tries + 1):
            attempted = list(self._corrections(mistakes, attempt))
            again: list[_Mistake] = []
            for mistake, row in self._gone_on(attempted):
                yield row
                if row.kept:
                    self.solved.add(mistake.owner)
                elif attempt < self.settings.tries:
                    again += self._next(mistake, row)
            mistakes = again

    def _corrections(self, mistakes: Iterable[_Mistake], attempt: int
                     ) -> Iterator[tuple[_Mistake, StepCorrection]]:
        """What the corrector writes about them, as far as the budget reaches."""
        settings, before = self.settings, (self.spent, self.replies)
        for request, reply in within_budget(self.context, settings.model, map(self._request, mistakes),
                                            settings.tokens, before=before):
            (mistake,) = request.about
            self.spent += reply.tokens
            self.replies += 1
            yield mistake, self._read(mistake, reply, attempt)

    def _request(self, mistake: _Mistake) -> Request:
        values = correction_values(mistake.question, number_steps(mistake.steps), self.prompt.cue)
        text = messages(self.prompt, self.settings.form, {**values, "reason": self.settings.reason})
        return Request(text, self.settings.asking, 0, (mistake,))

    def _read(self, mistake: _Mistake, reply: Completion, attempt: int) -> StepCorrection:
        """A reply as a row; `rejected` where no student can go on from it."""
        row = StepCorrection(
            question=mistake.question.id, path=mistake.path, corrects=mistake.id, student=mistake.student,
            model=self.settings.model, mistake=mistake.steps, reply=reply.text, attempt=attempt,
            prompt=self.prompt.id, finish=reply.finish, prompt_tokens=reply.prompt_tokens,
            repeated_tokens=reply.repeated, tokens=reply.tokens)
        parsed = parse_step(reply.text, reason=self.settings.reason)
        rejected = self._objection(row, mistake, parsed)
        if isinstance(parsed, Unparsed):
            return dataclasses.replace(row, rejected=rejected)
        return dataclasses.replace(row, step=parsed.step, text=parsed.steps[0], explanation=parsed.explanation,
                                   first=min(parsed.step, mistake.first or parsed.step), rejected=rejected)

    def _objection(self, row: StepCorrection, mistake: _Mistake, parsed: Parsed | Unparsed) -> str:
        """Why the step is not gone on from; empty where it is."""
        if isinstance(parsed, Unparsed):
            return CHECK["complete"].reason if row.finish != "stop" else f"unreadable: {parsed.reason}"
        correction = Correction(
            question=row.question, path=row.path, model=row.model, reply=row.reply, finish=row.finish,
            step=parsed.step, explanation=parsed.explanation, steps=parsed.steps, first_number=parsed.first_number,
            quote=parsed.quote)
        names = {*self.settings.checks, "step"} - ({"explanation"} if not self.settings.reason else set())
        if states_the_answer(parsed.steps[0]):
            names.add("answer")
        answers = answers_to(self.context.task, mistake.question.choices)
        reasons = failed(Checked.of(correction, mistake.steps, mistake.question, answers), names)
        return CHECK[reasons[0]].reason if reasons else ""

    def _gone_on(self, attempted: list[tuple[_Mistake, StepCorrection]]
                 ) -> Iterator[tuple[_Mistake, StepCorrection]]:
        """The same with what the students made of the corrected steps, in the same order."""
        continuations: dict[str, list[Continuation]] = {}
        for student in self.settings.students:
            requests = list(chain.from_iterable(
                self._requests(*pair) for pair in attempted if pair[0].student == student))
            written = zip(requests, self.context.ask(student, requests), strict=True)
            for request, reply in written:
                mistake, row = request.about
                continuations.setdefault(row.id, []).append(self._continuation(mistake, row, reply, request.index))
        for mistake, row in attempted:
            yield mistake, self._judged(mistake, row, continuations.get(row.id, []))

    def _requests(self, mistake: _Mistake, row: StepCorrection) -> Iterator[Request]:
        question = self.context.asking(mistake.question, self.settings.solve)
        prefix = "" if row.rejected else mistake.written(_given(row))
        for index in range(0 if row.rejected else self.settings.paths):
            yield Request(question, self.settings.going_on, index, (mistake, row), prefix)

    def _continuation(self, mistake: _Mistake, row: StepCorrection, reply: Completion, index: int) -> Continuation:
        prefix, steps = mistake.written(_given(row)), _given(row)
        path = ReasoningPath(question=row.question, model=row.student, text=prefix + reply.text,
                             finish=reply.finish)
        grade = verdict_on(path, mistake.question, self.context.task)
        goes_on = whole_path(prefix, steps, reply.text) is not None
        return Continuation(
            correction=row.id, text=reply.text, index=index, finish=reply.finish, tokens=reply.tokens,
            prompt_tokens=reply.prompt_tokens, verdict=grade.verdict, answer=grade.answer,
            rejected="" if goes_on else NOT_GOING_ON)

    def _judged(self, mistake: _Mistake, row: StepCorrection, continuations: list[Continuation]) -> StepCorrection:
        """The row with its continuations and, where enough of them agree, the path that is kept: the one that most
        of those wrote, the first of these."""
        agreeing = list(filter(attrgetter("agrees"), continuations))
        row = dataclasses.replace(
            row, continuations=tuple(continuations), agree=len(agreeing),
            student_prompt_tokens=sum(map(attrgetter("prompt_tokens"), continuations)),
            student_tokens=sum(map(attrgetter("tokens"), continuations)))
        if row.rejected:
            return row
        if self.settings.alike == "equations":
            agreeing = _alike(agreeing, lambda each: calculations(_steps(mistake, row, each)))
        if len(agreeing) < self.settings.agree:
            return dataclasses.replace(row, rejected=TOO_FEW if agreeing else NONE_RIGHT)
        counts = Counter(_steps(mistake, row, each) for each in agreeing)
        kept = max(agreeing, key=lambda each: counts[_steps(mistake, row, each)])
        return dataclasses.replace(row, kept=kept.id, steps=_steps(mistake, row, kept))

    def _next(self, mistake: _Mistake, row: StepCorrection) -> list[_Mistake]:
        """The next mistake of the chain: the first continuation that goes on to a wrong answer and was not
        corrected before."""
        for continuation in row.continuations:
            if continuation.verdict == "wrong" and not continuation.rejected:
                steps = _steps(mistake, row, continuation)
                following = mistake._replace(id=continuation.id, steps=steps, first=row.first)
                if self._is_new(following):
                    return [following]
        return []


def _alike(agreeing: list[Continuation], made: Callable[[Continuation], Hashable]) -> list[Continuation]:
    """Those that make the same calculations, the most of them: who is right by luck is so in a way of its own."""
    most, _ = Counter(map(made, agreeing)).most_common(1)[0] if agreeing else ((), 0)
    return list(filter(lambda each: made(each) == most, agreeing))


def _given(row: StepCorrection) -> tuple[str, ...]:
    """The steps that the student goes on from: its own up to the corrected one, and that. A step that states the
    answer is not given: with it any path would end right, whatever stands before; the student has to find it."""
    corrected = () if states_the_answer(row.text) else (row.text,)
    return (*row.mistake[:row.step - 1], *corrected)


def _steps(mistake: _Mistake, row: StepCorrection, continuation: Continuation) -> tuple[str, ...]:
    """All steps of the path that a continuation ends."""
    return split_steps(mistake.written(_given(row)) + continuation.text)


def expected(settings: ContinueOneConfig) -> Workload:
    """At most so many corrections of every mistake, each gone on from by its student so often."""
    followers = dict.fromkeys(settings.students, settings.paths)
    likely = (1 + settings.tries) / (2 * settings.tries)  # between solved at once and never
    return Workload(None, settings.tries, "wrong", settings.prompt or "correct_step", likely, followers)

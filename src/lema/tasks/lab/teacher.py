"""The lab's teacher: solves, corrects, judges and invents questions of the lab, and slips as often as told to.

One design decision: it is given nothing but the messages, as any other model, and finds the solution graph again
from the last lab question in them; so the road from prompt to verified correction is the one that a hosted model
takes. Slips are drawn from a hash of the request: the same request always gets the same reply.
"""

import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic import Field

from lema import plugins
from lema.messages import Completion, Request
from lema.prompting import CRITIQUE_CUE, CUE
from lema.records import content_id
from lema.replies import STEP_LABEL, number_steps, render_correction, render_step, split_steps
from lema.tasks.lab.drawing import draw
from lema.tasks.lab.mistakes import Wrong, plant
from lema.tasks.lab.problems import Problem, worked_steps
from lema.tasks.lab.review import BLAMED, MISJUDGED, Review, critique, review, steps_from
from lema.tasks.lab.wording import parse, write
from lema.tasks.lab.words import tokens

NEW_QUESTION = "New Question:"  # what a prompt that asks for a new question ends with
ALL_RIGHT = "All steps are correct."
REASON = "Reason:"  # what a prompt for one step holds that wants to hear why
LOST = "I cannot read this question."
MOST_STEPS = 6


class Settings(plugins.Settings):
    """[models.X] with backend = "teacher"."""

    slip: float = Field(0.0, ge=0, le=1, description="share of solutions, corrections and critiques that go wrong")
    slip_per_step: float = Field(0.0, ge=0, le=1, description="share of the steps that it writes in solutions and "
                                 "corrections, the answer included, that go wrong: none of H does in (1 - s)^H")
    seed: int = Field(0, description="another seed slips elsewhere")

    def facts(self) -> dict:
        """What is not set is left out: no run becomes stale by a setting that it does not use."""
        facts = super().facts()
        return facts if self.slip_per_step else {key: facts[key] for key in facts if key != "slip_per_step"}


class Model:
    """The teacher."""

    runs_here = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def identity(self) -> dict:
        settings = self.settings
        per_step = {"slip_per_step": settings.slip_per_step} if settings.slip_per_step else {}
        return {"backend": "teacher", "slip": settings.slip, "seed": settings.seed, **per_step}

    @staticmethod
    def no_prefix(settings: Settings) -> str:
        """Why no model of these settings goes on from a prefix; "" where it does."""
        return "the lab's teacher writes whole replies"

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """One reply per request; tokens are the lab's words, numbers and signs."""
        for request in requests:
            prompt = "\n".join(message.content for message in request.messages)
            written = tokens(self._reply(prompt, request))
            kept = written[:request.sampling.max_tokens]
            finish = "stop" if len(kept) == len(written) else "length"
            yield Completion("".join(kept), finish, prompt_tokens=len(tokens(prompt)), tokens=len(kept))

    def _reply(self, prompt: str, request: Request) -> str:
        turns = [message.content for message in request.messages if message.role == "user"]
        subject = next(filter(None, map(_last_question, reversed(turns))), None)
        if subject is None:
            return LOST
        problem, rest = subject
        drawn = (self.settings.seed, [[m.role, m.content] for m in request.messages], request.index,
                 request.sampling.seed)
        rng = random.Random(content_id(*drawn))
        slips = rng.random() < self.settings.slip
        steps = _Slips(rng, self.settings.slip_per_step)
        if prompt.rstrip().endswith(NEW_QUESTION):
            return invent(problem, rng)
        if prompt.rstrip().endswith(CUE):
            path, whole = _path(rest), rng if slips else None
            if STEP_LABEL in prompt:
                return correct_step(problem, path, whole, steps, reason=REASON in prompt)
            return correct(problem, path, whole, steps)
        if prompt.rstrip().endswith(CRITIQUE_CUE):
            return judge(problem, _path(rest), rng if slips else None)
        return solve(problem, rng if slips else None, steps)


class _Slips(NamedTuple):
    """Slips in single steps, each with the probability `share`."""

    rng: random.Random
    share: float

    def planted(self, problem: Problem, first: int, last: int) -> Wrong | None:
        """A path that goes wrong at the first slip among the worked steps `first` to `last`; None without one."""
        for number in range(first, last + 1) if self.share else ():
            if self.rng.random() < self.share:
                return plant(self.rng, problem, number, last=number)
        return None


def solve(problem: Problem, slip: random.Random | None, steps: _Slips) -> str:
    """The worked solution, or one with a mistake drawn from `slip`, or from slips in its steps."""
    right = worked_steps(problem)
    wrong = plant(slip, problem) if slip else steps.planted(problem, 1, len(right))
    return number_steps(wrong.steps if wrong else right)


def correct(problem: Problem, path: tuple[str, ...], slip: random.Random | None, steps: _Slips) -> str:
    """The correction of a wrong path; a slip names another step or goes wrong on the way to the answer."""
    fault = review(problem, path)
    if fault is None:
        return ALL_RIGHT
    if slip:
        fault = _misjudged(problem, path, fault, slip) or _miscorrected(problem, fault, slip) or fault
    else:
        fault = _mistaken(problem, fault, steps, len(fault.steps))
    return render_correction(fault.step, fault.explanation, fault.steps)


def correct_step(problem: Problem, path: tuple[str, ...], slip: random.Random | None, steps: _Slips, *,
                 reason: bool) -> str:
    """The first wrong step's number and that step anew; a slip names another step or writes this one wrongly."""
    fault = review(problem, path)
    if fault is None:
        return ALL_RIGHT
    if slip:
        always = _Slips(slip, 1.0)
        fault = _misjudged(problem, path, fault, slip) or _mistaken(problem, fault, always, 1)
    else:
        fault = _mistaken(problem, fault, steps, 1)
    return render_step(fault.step, fault.steps[0], fault.explanation if reason else "")


def judge(problem: Problem, path: tuple[str, ...], slip: random.Random | None) -> str:
    """The critique of a path, right or wrong; a slip blames another step than the first wrong one, or none where
    one is wrong."""
    fault = review(problem, path)
    if slip and fault:
        fault = _misjudged(problem, path, fault, slip)
    elif slip and path:
        fault = _blamed(problem, path, slip.randint(1, len(path)))
    return critique(problem, path, fault)


def invent(seed: Problem, rng: random.Random) -> str:
    """A new question with rules like the seed's, now and then a step longer or shorter, that no examination holds.

    Where no numbers fit after many tries it gives the seed's own text, which whoever asked will find to be
    there already.
    """
    kinds = [relation.rule for relation in seed.relations]
    for _ in range(50):
        rules = rng.sample(kinds, len(kinds))
        turn = rng.random()
        if turn < 0.25 and len(rules) > 1:
            rules.pop()
        elif turn > 0.75 and len(rules) < MOST_STEPS:
            rules.append(rng.choice(kinds))
        problem = draw(rng, rules)
        if problem and problem.home() == "train" and problem.key() != seed.key():
            return write(problem)
    return write(seed)


def _misjudged(problem: Problem, path: tuple[str, ...], fault: Review, slip: random.Random) -> Review | None:
    """In one slip of two: another step than the first wrong one is blamed. The steps from there may be right."""
    others = [step for step in range(1, len(path) + 1) if step != fault.step]
    if not others or slip.random() < 0.5:
        return None
    return _blamed(problem, path, slip.choice(others))


def _blamed(problem: Problem, path: tuple[str, ...], step: int) -> Review:
    """A step that is called wrong for no reason."""
    before = [text.split(maxsplit=1)[0] for text in path[:step - 1] if text.strip()]
    return Review(step, MISJUDGED, steps_from(problem, before), BLAMED)


def _miscorrected(problem: Problem, fault: Review, slip: random.Random) -> Review | None:
    """The right step and the right reason, but a mistake of its own in what follows."""
    length = len(fault.steps)
    first = len(worked_steps(problem)) - length + 1
    wrong = plant(slip, problem, first)
    return fault._replace(steps=wrong.steps[first - 1:]) if wrong else None


def _mistaken(problem: Problem, fault: Review, steps: _Slips, count: int) -> Review:
    """The right step and the right reason, but among the first `count` steps that are written one may be wrong."""
    first = len(worked_steps(problem)) - len(fault.steps) + 1
    wrong = steps.planted(problem, first, first + count - 1)
    return fault._replace(steps=wrong.steps[first - 1:]) if wrong else fault


def _last_question(prompt: str) -> tuple[Problem, str] | None:
    """The last line that holds a lab question, with or without "Question:", as a problem, and what follows it."""
    lines = prompt.splitlines()
    for place in range(len(lines) - 1, -1, -1):
        problem = parse(lines[place].strip().removeprefix("Question:").strip())
        if problem:
            return problem, "\n".join(lines[place + 1:])
    return None


def _path(rest: str) -> tuple[str, ...]:
    """The steps of the path between the last braces, or of all that stands before the cue."""
    opened, closed = rest.rfind("{"), rest.rfind("}")
    body = rest[opened + 1:closed] if -1 < opened < closed else rest.rstrip().removesuffix(CUE).removesuffix(
        CRITIQUE_CUE)
    return split_steps(body)

"""New questions, grown from seeds: those that occur in kept corrections, or all of them.

One design decision: a new question is drafted, answered several times by the ordinary sampling stage, and then
settled by vote; drafts and votes stay as rows, and a question that may not be used keeps its reason.
"""

import dataclasses
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from lema.config import Config, EvolveConfig, SettleConfig
from lema.decontamination import Overlap
from lema.grading import GradingTimeout
from lema.messages import Message, Request
from lema.prompting import Prompt
from lema.records import Correction, Question, ReasoningPath
from lema.runs.context import StageContext
from lema.runs.spending import within_budget
from lema.runs.workload import Workload
from lema.scratch import ScratchTable
from lema.tasks import Answers, answers_to

VERSION = 4
_CHOICE = re.compile(r"^\([A-Z]\)[ \t]+(\S.*)$", re.M)


def rounds_before(config: Config, round_name: str) -> list[str]:
    """The evolved rounds that a round follows, the nearest first."""
    names: list[str] = []
    while before := config.evolve[round_name].after:
        names.append(before)
        round_name = before
    return names


def evolve(context: StageContext, settings: EvolveConfig, questions: Iterable[Question],
           corrections: Iterable[Correction] = (), *earlier: Iterable[Question]) -> Iterator[Question]:
    """Drafts without an answer yet: one per seed, drawn with replacement; what is like a known question is
    rejected.

    With `corrections` the seeds are the questions of the kept ones, as often as they occur; else all training
    questions. `earlier` are the questions of the rounds that this one follows: it asks for others of the same
    seeds."""
    prompt = context.prompt("evolve", settings.prompt)
    offset = len(earlier) * settings.seeds
    examined, known = Overlap(settings.decontaminate), Overlap(settings.deduplicate)
    with ScratchTable(context.folder, Question) as everything:
        for question in questions:
            everything.put(question.id, question)
            (known if question.split == "train" else examined).learn(question.split, [question.text])
        for rows in earlier:
            known.learn("evolved before", (question.text for question in rows))
        seeds = _drawn(settings, questions, corrections)
        requests = (_request(prompt, settings, index, everything.get(seed))
                    for index, seed in enumerate(seeds, offset))
        yield from _drafts(context, settings, requests, len(seeds), examined, known)


def _drawn(settings: EvolveConfig, questions: Iterable[Question], corrections: Iterable[Correction]) -> list[str]:
    """The ids of the seeds, drawn with replacement; the pool is read twice and never held."""
    def pool() -> Iterator[str]:
        if settings.seeds_from == "questions":
            return (question.id for question in questions if question.split == "train")
        return (correction.question for correction in corrections if correction.verified)

    draw, size = random.Random(settings.seed), sum(1 for _ in pool())
    places = [draw.choice(range(size)) for _ in range(settings.seeds)] if size else []
    drawn = dict.fromkeys(places, "")
    drawn.update((place, name) for place, name in enumerate(pool()) if place in drawn)
    return [drawn[place] for place in places]


def _request(prompt: Prompt, settings: EvolveConfig, index: int, seed: Question) -> Request:
    return Request((Message("user", prompt.render(question=seed.text)),), settings.sampling, index, (seed,))


def _drafts(context: StageContext, settings: EvolveConfig, requests: Iterable[Request], total: int, examined: Overlap,
            known: Overlap) -> Iterator[Question]:
    """What the teacher writes, each new question known from then on."""
    for request, reply in within_budget(context, settings.model, requests, settings.tokens, total):
        (seed,) = request.about
        text = reply.text.strip().removeprefix("New Question:").removeprefix("Question:").strip()
        rejected = "" if reply.finish == "stop" and text else "cut off or failed"
        choices = tuple(_CHOICE.findall(text)) if seed.choices else ()
        if seed.choices and len(choices) < 2:
            rejected = rejected or "no choices"
        rejected = rejected or examined.reason(text) or known.reason(text)
        if not rejected:
            known.learn("evolved", [text])
        yield Question(text=text, answer="", choices=choices, split="train", level=seed.level, parent=seed.id,
                       source=f"evolved:{settings.model}", prompt_tokens=reply.prompt_tokens,
                       tokens=reply.tokens, rejected=rejected)


def settle(context: StageContext, settings: SettleConfig, drafts: Iterable[Question],
           votes: Iterable[ReasoningPath]) -> Iterator[Question]:
    """The drafts with the answer that most votes give, its share of the votes, and their whole cost.

    Answers are the same where the task says so; a draft whose votes all differ, or state none, is rejected.
    """
    with ScratchTable(context.folder, ReasoningPath) as ballots:
        ballots.fill((vote.question, vote) for vote in votes)
        for draft in drafts:
            yield _settled(context, settings, draft, ballots.under(draft.id))


def _settled(context: StageContext, settings: SettleConfig, draft: Question, cast: list[ReasoningPath]) -> Question:
    """A draft with what came of its votes."""
    answer, count = _majority(answers_to(context.task, draft.choices), cast)
    rejected = draft.rejected or ("" if answer else "no vote states an answer")
    if not rejected and count == 1 < settings.votes:
        rejected = "all votes differ"
    if not rejected and count < settings.agreement * settings.votes:
        rejected = "too few votes agree"
    return dataclasses.replace(
        draft, id="", answer=answer or "", agreement=count / settings.votes if cast else None,
        rejected=rejected, tokens=draft.tokens + sum(vote.tokens for vote in cast),
        prompt_tokens=draft.prompt_tokens + sum(vote.prompt_tokens for vote in cast))


def _majority(answers: Answers, votes: list[ReasoningPath]) -> tuple[str | None, int]:
    """The answer that most votes give (the first such), and how many give it."""
    read = [answers.read(vote.text).answer for vote in votes if vote.finish == "stop"]
    counted: Counter[str] = Counter()
    for answer in filter(None, read):
        twin = next((known for known in counted if _same(answers, answer, known)), answer)
        counted[twin] += 1
    return counted.most_common(1)[0] if counted else (None, 0)


def _same(answers: Answers, answer: str, other: str) -> bool:
    """An undecided comparison leaves two votes apart."""
    try:
        return answers.same(answer, other)
    except GradingTimeout:
        return False


def expected(settings: EvolveConfig) -> Workload:
    """One draft for each seed."""
    return Workload(1, prompt=settings.prompt or "evolve")


def units(settings: EvolveConfig, questions: Iterable[Question]) -> int:
    """What the work of the drafts, and of all that follows from them, grows with: the seeds."""
    return settings.seeds

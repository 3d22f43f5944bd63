"""New questions, grown from seeds: those that occur in kept corrections, or all of them.

One design decision: a new question is drafted, answered several times by the ordinary sampling stage, and then
settled by vote; drafts and votes stay as rows, and a question that may not be used keeps its reason.
"""

import dataclasses
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from lema.grading import GradingTimeout
from lema.models import Message, Request
from lema.money.spending import within_budget
from lema.overlap import Overlap
from lema.records import Correction, Question, ReasoningPath
from lema.tables import EvolveConfig
from lema.tasks import Answers, answers_to
from lema.tools import Tools

VERSION = 4
_CHOICE = re.compile(r"^\([A-Z]\)[ \t]+(\S.*)$", re.M)


def evolve(tools: Tools, settings: EvolveConfig, questions: Iterable[Question],
           corrections: Iterable[Correction] = (), *earlier: Iterable[Question]) -> Iterator[Question]:
    """Drafts without an answer yet: one per seed, drawn with replacement; what is like a known question is
    rejected.

    With `corrections` the seeds are the questions of the kept ones, as often as they occur; else all training
    questions. `earlier` are the questions of the rounds that this one follows: it asks for others of the same
    seeds."""
    everything = {question.id: question for question in questions}
    pool = [everything[c.question] for c in corrections if c.verified]
    if settings.seeds_from == "questions":
        pool = [question for question in everything.values() if question.split == "train"]
    draw = random.Random(settings.seed)
    seeds = [draw.choice(pool) for _ in range(settings.seeds)] if pool else []
    prompt = tools.prompt("evolve", settings.prompt)
    offset = len(earlier) * settings.seeds
    requests = [Request((Message("user", prompt.render(question=seed.text)),), settings.sampling, index, (seed,))
                for index, seed in enumerate(seeds, offset)]
    examined = Overlap(settings.decontaminate)
    for question in everything.values():
        if question.split != "train":
            examined.learn(question.split, [question.text])
    known = Overlap(settings.deduplicate).learn(
        "train", [question.text for question in everything.values() if question.split == "train"])
    for rows in earlier:
        known.learn("evolved before", [question.text for question in rows])
    for request, reply in within_budget(tools, settings.model, requests, settings.tokens):
        (seed,) = request.about
        text = reply.text.strip().removeprefix("New Question:").removeprefix("Question:").strip()
        rejected = "" if reply.finish == "stop" and text else "cut off or failed"
        choices = tuple(_CHOICE.findall(text)) if seed.choices else ()
        if seed.choices and len(choices) < 2:
            rejected = rejected or "no choices"
        rejected = rejected or examined.found(text) or known.found(text)
        if not rejected:
            known.learn("evolved", [text])
        yield Question(text=text, answer="", choices=choices, split="train", level=seed.level, parent=seed.id,
                       source=f"evolved:{settings.model}", prompt_tokens=reply.prompt_tokens,
                       tokens=reply.tokens, rejected=rejected)


def settle(tools: Tools, settings: EvolveConfig, drafts: Iterable[Question],
           votes: Iterable[ReasoningPath]) -> Iterator[Question]:
    """The drafts with the answer that most votes give, its share of the votes, and their whole cost.

    Answers are the same where the task says so; a draft whose votes all differ, or state none, is rejected.
    """
    ballots: dict[str, list[ReasoningPath]] = defaultdict(list)
    for vote in votes:
        ballots[vote.question].append(vote)
    for draft in drafts:
        cast = ballots.get(draft.id, [])
        answer, count = _majority(answers_to(tools.task, draft.choices), cast)
        rejected = draft.rejected or ("" if answer else "no vote states an answer")
        if not rejected and count == 1 < settings.votes:
            rejected = "all votes differ"
        if not rejected and count < settings.agreement * settings.votes:
            rejected = "too few votes agree"
        yield dataclasses.replace(
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

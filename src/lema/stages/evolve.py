"""New questions, grown from seeds: those that occur in kept corrections, or all of them.

    {"text": "At the fair Mia wins 7 coins. Sam wins double what Mia wins. …", "answer": "14", …}
    → {"text": "Finn has 2 coins. Ben has twice as many coins as Finn. …", "answer": "4", "agreement": 1.0, …}

One design decision: a new question is drafted, answered several times by the ordinary sampling stage, and then
settled by vote; drafts and votes stay as rows, and a question that may not be used keeps its reason.
"""

import dataclasses
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count
from operator import attrgetter

from lema.config import Config, EvolveConfig, SettleConfig
from lema.decontamination import Overlap
from lema.messages import Message, Request
from lema.prompting import Prompt
from lema.records import Correction, Question, ReasoningPath
from lema.replies import own_text, reply_span
from lema.runs.context import StageContext
from lema.runs.spending import within_budget
from lema.runs.workload import Workload
from lema.scratch import ScratchTable, by_field
from lema.tasks import Answers, answers_to

VERSION = 8
_OPENING = re.compile(r"[*_# ]{0,6}(?:new )?question[*_]{0,3}:[*_]{0,3}", re.I)
_FURTHER = re.compile(r"\n[*_# ]{0,6}(?:(?:new )?question|solution|answer)[*_ ]{0,3}[0-9]{0,4}:", re.I)
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
    rejected. `earlier` are the questions of rounds before this one, which asks for others of the same seeds."""
    prompt, offset = context.prompt("evolve", settings.prompt), len(earlier) * settings.seeds
    examined, trained_on = Overlap(settings.decontaminate), Overlap(settings.deduplicate)
    with ScratchTable(context.folder, Question) as texts:
        for question in questions:
            texts.put(question.id, question)
            overlap = trained_on if question.split == "train" else examined
            overlap.learn(question.split, [question.text])
        for rows in earlier:
            trained_on.learn("evolved before", map(attrgetter("text"), rows))
        seeds = _drawn(settings, questions, corrections)
        requests = map(partial(_request, prompt, settings), count(offset), map(texts.get, seeds))
        yield from _drafts(context, settings, requests, len(seeds), examined, trained_on)


def _drawn(settings: EvolveConfig, questions: Iterable[Question], corrections: Iterable[Correction]) -> list[str]:
    """The ids of the seeds, drawn with replacement; the pool is read twice and never held."""
    draw, size = random.Random(settings.seed), sum(1 for _ in _pool(settings, questions, corrections))
    places = [draw.choice(range(size)) for _ in range(settings.seeds if size else 0)]
    ids = dict.fromkeys(places, "")
    for place, question_id in enumerate(_pool(settings, questions, corrections)):
        if place in ids:
            ids[place] = question_id
    return list(map(ids.get, places))


def _pool(settings: EvolveConfig, questions: Iterable[Question], corrections: Iterable[Correction]) -> Iterator:
    """The ids that seeds are drawn from: a question stands there once, or as often as it has kept corrections, so
    that what models fail at in many ways is varied more."""
    if settings.seeds_from == "questions":
        return map(attrgetter("id"), filter(lambda question: question.split == "train", questions))
    return map(attrgetter("question"), filter(attrgetter("verified"), corrections))


def _request(prompt: Prompt, settings: EvolveConfig, index: int, seed: Question) -> Request:
    return Request((Message("user", prompt.render(question=seed.text)),), settings.sampling, index, (seed,))


def _drafts(context: StageContext, settings: EvolveConfig, requests: Iterable[Request], total: int,
            examined: Overlap, trained_on: Overlap) -> Iterator[Question]:
    """What the teacher writes; each new question is one that later drafts may not be like."""
    for request, reply in within_budget(context, settings.model, requests, settings.tokens, total):
        (seed,) = request.about
        text = draft_in(reply.text)
        rejected = "" if reply.finish == "stop" and text else "cut off or failed"
        choices = tuple(_CHOICE.findall(text)) if seed.choices else ()
        if seed.choices and len(choices) < 2:
            rejected = rejected or "no choices"
        rejected = rejected or examined.reason(text) or trained_on.reason(text)
        if not rejected:
            trained_on.learn("evolved", [text])
        yield Question(text=text, answer="", choices=choices, split="train", level=seed.level, parent=seed.id,
                       source=f"evolved:{settings.model}", prompt_tokens=reply.prompt_tokens,
                       repeated_tokens=reply.repeated, tokens=reply.tokens, rejected=rejected)


def draft_in(reply: str) -> str:
    """The new question alone: up to the next one, or its solution, that a model goes on to write."""
    text = reply_span(reply.strip()).strip()
    if opening := _OPENING.match(text):
        text = reply_span(text[opening.end():])
    return _FURTHER.split(own_text(text), maxsplit=1)[0].strip()


def settle(context: StageContext, settings: SettleConfig, drafts: Iterable[Question],
           votes: Iterable[ReasoningPath]) -> Iterator[Question]:
    """The drafts with the answer that most votes give, its share of the votes, and their whole cost. Answers are
    the same where the task says so; a draft whose votes all differ, or state none, is rejected."""
    with by_field("question", context.folder, ReasoningPath, votes) as ballots:
        for draft in drafts:
            yield _settled(answers_to(context.task, draft.choices), settings, draft, ballots.under(draft.id))


def _settled(answers: Answers, settings: SettleConfig, draft: Question, cast: list[ReasoningPath]) -> Question:
    """A draft with what came of its votes."""
    answer, count = _majority(answers, cast)
    rejected = draft.rejected or ("" if answer else "no vote states an answer")
    if not rejected and count == 1 < settings.votes:
        rejected = "all votes differ"
    if not rejected and count < settings.agreement * settings.votes:
        rejected = "too few votes agree"
    return dataclasses.replace(
        draft, id="", answer=answer or "", agreement=count / settings.votes if cast else None,
        rejected=rejected, tokens=draft.tokens + sum(map(attrgetter("tokens"), cast)),
        prompt_tokens=draft.prompt_tokens + sum(map(attrgetter("prompt_tokens"), cast)),
        repeated_tokens=draft.repeated_tokens + sum(map(attrgetter("repeated_tokens"), cast)))


def _majority(answers: Answers, votes: list[ReasoningPath]) -> tuple[str | None, int]:
    """The answer that most votes give (the first such), and how many give it."""
    counted: Counter[str] = Counter()
    for vote in votes:
        answer = answers.read(vote.text).answer if vote.finish == "stop" else None
        if answer:  # counted under the first form in which it came: "1/2" and "0.5" are two votes for one answer
            counted[next((first for first in counted if answers.agree(answer, first)), answer)] += 1
    return counted.most_common(1)[0] if counted else (None, 0)


def expected(settings: EvolveConfig) -> Workload:
    """One draft for each seed."""
    return Workload(1, prompt=settings.prompt or "evolve")


def units(settings: EvolveConfig, questions: Iterable[Question]) -> int:
    """What the work of the drafts, and of all that follows from them, grows with: the seeds."""
    return settings.seeds

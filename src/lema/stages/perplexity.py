"""How likely each model finds the wrong paths that were corrected, and the corrected ones in their place.

    {"path": "5f…", "step": 2, "steps": ["Sam = 15 / 3 = 5.", …], "verified": true, …}
    → {"model": "lema-1", "sort": "corrected", "paths": 39, "tokens": 1512, "log_likelihood": -907.3, …}

One design decision: both texts stand after the question's own prompt, as they would if the model had written them;
only pairs of which both fit the model are counted, so that the two figures are of the same questions.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from lema.checkpoints import positions
from lema.checkpoints.rendering import Tokens, encode
from lema.config import Config, PerplexityConfig
from lema.errors import ConfigError
from lema.records import Correction, Example, Question, ReasoningPath
from lema.replies import number_steps, rejoin, split_steps
from lema.runs.context import StageContext
from lema.scratch import by_id
from lema.statistics.scores import Likelihood

VERSION = 1


def judging(config: Config, model: str) -> PerplexityConfig:
    """One model, on as many corrections as the config says."""
    return PerplexityConfig(model=model, corrections=config.report.perplexity)


def cards(settings: PerplexityConfig) -> int:
    """How many cards of one machine it takes; it asks nobody, so an engine may place it anywhere."""
    return 1


def perplexity(context: StageContext, settings: PerplexityConfig, questions: Iterable[Question],
               graded: Iterable[ReasoningPath], verified: Iterable[Correction]) -> Iterator[Likelihood]:
    """Two rows of the model: of wrong paths, and of the same paths corrected. ConfigError for a model that does
    not run here."""
    model = context.model(settings.model)
    if not hasattr(model, "log_likelihoods"):
        raise ConfigError(f"report.perplexity: {settings.model} is asked over a server, which does not say how "
                          "likely it finds a text; leave the key out")
    longest, tokenizer, form = positions(model.folder), model.tokenizer, context.form(settings.model)
    rows: dict[str, list[Tokens]] = {"wrong": [], "corrected": []}
    left_out = 0
    for prompt, question, texts in _pairs(context, settings, questions, graded, verified):
        both = []
        for text in texts:
            example = Example(kind="cot", source="own", prompt=prompt, completion=text, question=question)
            both.append(encode(tokenizer, example, form))
        if max(each.length for each in both) > longest:
            left_out += 1
            continue
        for sort, tokens in zip(rows, both, strict=True):
            rows[sort].append(tokens)
    for sort, several in rows.items():
        if several:
            yield Likelihood(
                model=settings.model, sort=sort, paths=len(several), left_out=left_out,
                tokens=sum(len(row.completion) for row in several),
                log_likelihood=sum(model.log_likelihoods(several)))


def _pairs(context: StageContext, settings: PerplexityConfig, questions: Iterable[Question],
           graded: Iterable[ReasoningPath],
           verified: Iterable[Correction]) -> Iterator[tuple[str, str, tuple[str, str]]]:
    """(prompt, question, (wrong path, corrected path)) of the first kept corrections of paths with steps."""
    kept = (row for row in verified if row.verified and row.step)
    with (by_id(context.folder, Question, questions) as texts,
          by_id(context.folder, ReasoningPath, graded) as paths):
        for row in islice(kept, settings.corrections):
            question, steps = texts.get(row.question), split_steps(paths.get(row.path).text)
            prompt = "\n\n".join(message.content for message in context.task.prompt(question))
            yield prompt, question.id, (number_steps(steps), number_steps(rejoin(steps, row.step, row.steps)))

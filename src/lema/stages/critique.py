"""Critiques: a critic judges paths, right ones or wrong ones, and says of each why.

    {"question": "37835c9b8f2262cb", "text": "Step 1: The answer is 8 = 7.", "verdict": "wrong", …}
    → {"path": "113b64d5f66f8a9a", "text": "Step 1: This step does not say…", "said": "wrong", "step": 1, …}

One design decision: the critic is not told how a path was graded, and a critique stays whatever it concludes, as
critique fine-tuning has it; only a reply that came to no end or no conclusion is rejected. Whether critic and
grader agree can be seen in the row, and an arm may ask for it.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from operator import attrgetter

from lema.config import Config, CritiqueConfig, CritiqueOneConfig
from lema.examples import critiques_needed
from lema.examples.take import Sort
from lema.messages import Completion, Request
from lema.prompting import critique_values
from lema.prompting.order import in_turn, messages
from lema.records import Critique, Question, ReasoningPath
from lema.replies import Unparsed
from lema.replies.judgements import parse_critique
from lema.runs.context import StageContext
from lema.runs.spending import within_budget
from lema.runs.workload import Workload
from lema.scratch import by_id

VERSION = 3


def critic_of(config: Config) -> CritiqueConfig | None:
    """Who writes critiques: the [critique] table, else the corrector as its own table says."""
    if config.critique is not None or config.correct is None:
        return config.critique
    return CritiqueConfig(**config.correct.model_dump(include=set(CritiqueConfig.model_fields) - {"prompt"}))


def critiquing(config: Config, round_name: str) -> dict[Sort, CritiqueOneConfig]:
    """The purchases of critiques that the arms need from a round, by the sort of paths that are judged: paid for
    only where a line of some arm takes them."""
    critic = critic_of(config)
    if critic is None:
        return {}
    if round_name and config.evolve[round_name].students:
        critic = critic.model_copy(update={"models": ()})  # models trained in the run, which no table can name
    takes = list(chain.from_iterable(map(attrgetter("take"), config.arms.values())))
    return {of: CritiqueOneConfig(of=of, **critic.model_dump()) for of in critiques_needed(takes, round_name)}


def critique(context: StageContext, settings: CritiqueOneConfig, questions: Iterable[Question],
             graded: Iterable[ReasoningPath]) -> Iterator[Critique]:
    """One critique of each of the first `settings.per_question` distinct paths of a question that were graded as
    `settings.of` says, as far as the budget reaches."""
    prompt = context.prompt("critique", settings.prompt)
    judged = (path for path in graded if path.verdict == settings.of
              and (not settings.models or path.model in settings.models))
    with (by_id(context.folder, Question, questions) as texts,
          in_turn(context.folder, judged, settings.per_question) as paths):
        requests = (Request(messages(prompt, settings.form, critique_values(texts.get(path.question), path.text)),
                            settings.sampling, 0, (path,)) for path in paths)
        for request, reply in within_budget(context, settings.model, requests, settings.tokens, len(paths)):
            (path,) = request.about
            yield Critique(question=path.question, path=path.id, verdict=path.verdict, model=settings.model,
                           reply=reply.text, prompt=prompt.id, finish=reply.finish, tokens=reply.tokens,
                           prompt_tokens=reply.prompt_tokens, repeated_tokens=reply.repeated, **_read(reply))


def _read(reply: Completion) -> dict:
    """What a reply says, as fields of a Critique; why it is `rejected` where it says nothing that can be used."""
    if reply.finish != "stop":
        return {"rejected": "cut off or failed"}
    parsed = parse_critique(reply.text)
    if isinstance(parsed, Unparsed):
        return {"rejected": f"unreadable: {parsed.reason}"}
    verdict = "right" if parsed.judgement.right else "wrong"
    return {"text": parsed.text, "said": verdict, "step": parsed.judgement.step}


def expected(settings: CritiqueOneConfig) -> Workload:
    """So many paths of a question at most, of those that were graded so."""
    return Workload(settings.per_question, 1, settings.of, settings.prompt or "critique")

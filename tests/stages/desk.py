"""StageContext for calling a stage's verb with plain lists: a config, a journal in a folder, and nothing faked."""

from pathlib import Path

from lema.config import parse_config
from lema.journal import Journal
from lema.records import Question, ReasoningPath
from lema.runs.context import StageContext
from lema.runs.news import News
from lema.runs.run import Stage

CONFIG = {
    "name": "x", "task": {"name": "lab"},
    "models": {"teacher": {"backend": "teacher"}, "slipping": {"backend": "teacher", "slip": 1.0}},
    "sample": {"models": ["teacher"]},
}


def context(folder: Path, verb, base: dict | None = None, **changes) -> StageContext:
    """StageContext for one call of `verb`, which may ask every model of the config. `base`: facts of a model that
    the config does not name."""
    config = parse_config(CONFIG | changes, "x")
    models = {name: {} for name in config.models} | ({"base": base} if base else {})
    stage = Stage(folder, "stage", verb, None, models=models)
    return StageContext(stage, config, _quiet, Journal(folder / "journal.sqlite"), folder)


def question(text: str, answer: str, **more) -> Question:
    return Question(text=text, answer=answer, **more)


def path(of: Question, *steps: str, verdict: str = "wrong", **more) -> ReasoningPath:
    text = "\n".join(f"Step {number}: {step}" for number, step in enumerate(steps, 1))
    return ReasoningPath(**{"question": of.id, "model": "student", "text": text, "verdict": verdict} | more)


def _quiet(news: News) -> None:
    pass


LEO = question("Leo has 15 plums. Sam has twice as many plums as Leo. Ida has 9 more plums than Sam. "
               "How many plums does Ida have?", "39")
RIGHT = ("Sam = Leo * 2 = 15 * 2 = 30.", "Ida = Sam + 9 = 30 + 9 = 39.", "The answer is 39.")
WRONG = ("Sam = Leo * 2 = 15 * 2 = 30.", "Ida = Sam - 9 = 30 - 9 = 21.", "The answer is 21.")
EARLY = ("Sam = Leo * 2 = 15 * 2 = 20.", "Ida = Sam + 9 = 20 + 9 = 29.", "The answer is 29.")

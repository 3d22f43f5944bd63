"""What asks models for text: sampling, correcting, verifying, evolving.

One design decision: every table that asks shares its words for how text is drawn and when to stop asking.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from lema.examples.take import Sort
from lema.plugins import Settings
from lema.records import Sampling

Tokens = Annotated[int, Field(gt=0)]
DRAWING = {"temperature", "top_p", "max_tokens", "stop", "seed"}
"""How text is drawn, in the words of every table that asks."""


class AdaptiveConfig(Settings):
    """[sample.adaptive]: when a question stops being sampled; `sample.paths` is the most that one model gives it.

    Mistakes and solutions are counted once for the same steps.
    """

    mistakes: int = Field(default=16, gt=0, description="enough: so many distinct mistakes")
    right: int = Field(default=0, ge=0, description="and so many distinct right paths")
    easy: int = Field(default=1, gt=0, description="too easy: so many right paths, and as many more for every "
                      "distinct mistake")
    hard: int | None = Field(default=None, gt=0, description="too hard: so many paths and none of them right")
    idle: int = Field(default=2, gt=0, description="exhausted: so many paths in a row that gave no new mistake "
                      "(or, where wanted, no new right path)")


class SampleConfig(Settings):
    """[sample]: which models are asked, how many paths per question, and how text is drawn."""

    models: tuple[str, ...] = Field(min_length=1)
    paths: int = Field(default=1, gt=0)
    prompt: str | None = Field(default=None, description="a few-shot prompt file; else the task's own question")
    split: Literal["train", "dev", "test"] = "train"
    only: Literal["all", "unsolved"] = Field(default="all", description="unsolved: without a worked solution")
    order: Literal["given", "random"] = "given"
    limit: int | None = Field(default=None, gt=0, description="at most so many questions")
    tokens: Tokens | None = Field(default=None, description="stop asking once so many tokens are written")
    temperature: float = Field(default=0.8, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=1024, gt=0)
    stop: tuple[str, ...] = ()
    seed: int = 0
    adaptive: AdaptiveConfig | None = None

    @property
    def sampling(self) -> Sampling:
        return Sampling(**self.model_dump(include=DRAWING))

    def models_used(self) -> tuple[str, ...]:
        return self.models

    def prompts_used(self) -> dict[str, str | None]:
        asking = {"question": None} if self.prompt is None else {"solve": self.prompt}
        return {**asking, "decoding": None}

    def of(self, model: str) -> "SampleConfig":
        """The same for one model only: what a single sampling stage depends on."""
        return self.model_copy(update={"models": (model,)})


class AskConfig(Settings):
    """What every table that asks the teacher shares: model, drawing, and a budget in its output tokens."""

    model: str
    tokens: int | None = Field(default=None, gt=0, description="stop asking once it has written so many tokens")
    prompt: str | None = Field(default=None, description="a prompt file of your own")
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=1024, gt=0)
    seed: int = 0

    @property
    def sampling(self) -> Sampling:
        return Sampling(**self.model_dump(include=DRAWING))

    def models_used(self) -> tuple[str, ...]:
        return (self.model,)


class CorrectConfig(AskConfig):
    """[correct]: the corrector and whose mistakes it gets (all sampled models by default)."""

    models: tuple[str, ...] = Field(default=(), description="whose mistakes; empty: every sampled model's")
    form: Literal["completion", "chat"] = Field(
        default="completion", description="chat: the worked examples become turns of a conversation")
    samples: int = Field(default=1, gt=0, description="corrections asked for per mistake")
    tries: int = Field(default=1, gt=0, le=4, description="2: where none passes, ask again, saying what failed")
    again: str | None = Field(default=None, description="a prompt file of your own for the second try")
    hint: Literal["none", "answer"] = Field(
        default="none", description="answer: from the second try on the corrector is told the gold answer")
    extent: Literal["whole", "step"] = Field(
        default="whole", description="step: the wrong step alone is written anew, and the student goes on from "
                                     "there; see [continue]")

    @model_validator(mode="after")
    def _fits(self) -> "CorrectConfig":
        if self.hint == "answer" and self.tries == 1:
            raise ValueError('hint = "answer" is for a second try; set tries = 2')
        if self.samples > 1 and self.temperature == 0:
            raise ValueError("samples > 1 are all alike at temperature 0; set a temperature")
        if self.extent == "step" and (self.samples, self.tries) != (1, 1):
            raise ValueError('samples and tries are of whole corrections; with extent = "step" set tries and '
                             "paths in [continue]")
        return self

    def facts(self) -> dict:
        """Without the extent: the stage of these settings corrects whole paths."""
        return {key: fact for key, fact in super().facts().items() if key != "extent"}

    def prompts_used(self) -> dict[str, str | None]:
        return {"correct": self.prompt} | ({"again": self.again} if self.tries > 1 else {})


class CritiqueConfig(AskConfig):
    """[critique]: who judges paths for the arms that train on critiques. Right and wrong paths are two purchases
    of the same budget each, in every round; one that no arm takes is not made. Without the table [correct] stands
    for it."""

    models: tuple[str, ...] = Field(default=(), description="whose paths; empty: every sampled model's")
    form: Literal["completion", "chat"] = Field(
        default="completion", description="chat: the worked examples become turns of a conversation")
    per_question: int = Field(default=1, gt=0, description="at most so many paths of a question in each purchase")


class CritiqueOneConfig(CritiqueConfig):
    """One purchase of critiques."""

    of: Sort

    def prompts_used(self) -> dict[str, str | None]:
        return {"critique": self.prompt}


Check = Literal["complete", "parsed", "step", "quoted", "kept", "changed", "arithmetic", "earlier", "explanation",
                "repeat", "answer", "follows"]
CHECKS = get_args(Check)
"""Every check, in the order in which they are asked (lema.checks)."""


class VerifyConfig(Settings):
    """[verify]: which checks a correction must pass; `["answer"]` is the paper's rule."""

    checks: tuple[Check, ...] = CHECKS
    keep: Literal["first", "majority", "all"] = Field(
        default="first", description="which verified correction of one mistake is kept; majority: one whose step "
                                     "most replies name")


class CotConfig(AskConfig):
    """[cot]: worked solutions bought from a teacher, in random order of the questions.

    pool       unsolved: the questions without a worked solution; all: every training question
    questions  random: any of the pool; failed: those that a sampled model answered wrong. Both are two purchases
               of the same budget each.
    tokens     a budget in the teacher's tokens, or "corrections": as many as the corrections did cost
    """

    tokens: Tokens | Literal["corrections"] | None = None
    pool: Literal["unsolved", "all"] = "unsolved"
    questions: tuple[Literal["random", "failed"], ...] = Field(default=("random",), min_length=1)
    limit: int | None = Field(default=None, gt=0, description="at most so many questions")
    paths: int = Field(default=1, gt=0, description="solutions per question")

    def asking(self, questions: str) -> "PurchaseConfig":
        """What one purchase asks for."""
        return PurchaseConfig(models=(self.model,), only=self.pool, order="random", questions=questions,
                              **self.model_dump(exclude={"model", "pool", "questions"}))


class PurchaseConfig(SampleConfig):
    """One purchase of worked solutions."""

    questions: Literal["random", "failed"]
    tokens: Tokens | Literal["corrections"] | None = None


Way = Literal["exact", "masked", "13-gram", "8-gram", "minhash"]
WAYS = get_args(Way)
"""Every way of being like another question (lema.decontamination)."""


class LeaksConfig(Settings):
    """[leaks]: training questions that stand among those of an examination."""

    ways: tuple[Way, ...] = Field(default=("exact",), min_length=1, description="how they are looked for")
    then: Literal["refuse", "drop"] = Field(default="refuse", description="drop: left out and counted")
    sets: tuple[str, ...] = Field(default=(), exclude=True, description="filled in: the further test sets")

    def on(self, sets: tuple[str, ...]) -> "LeaksConfig":
        """The same, with the test sets that are looked into beside dev and test."""
        return self.model_copy(update={"sets": sets})


class EvolveConfig(AskConfig):
    """[evolve.X]: a later round, of new questions grown from seeds drawn with replacement, or of the task's own.

    `seeds_from` "corrections" draws from the questions of kept corrections, as often as they occur
    (correction-centric); "questions" draws from all training questions (general evolution).
    """

    model: str = Field(default="", description="who writes the new questions and answers them")
    questions: Literal["new", "same"] = Field(
        default="new", description="same: the task's questions again, and the mistakes of `students`' models")
    seeds_from: Literal["corrections", "questions"] = "corrections"
    after: str = Field(default="", description="the round that this follows: the same seeds, other new questions")
    students: tuple[str, ...] = Field(
        default=(), description="arms whose trained models (of the first seed) make this round's mistakes; "
                                "empty: the sampled models")
    agreement: float = Field(default=0.0, ge=0, le=1, description="least share of the votes for the gold answer")
    decontaminate: tuple[Way, ...] = Field(default=WAYS, description="how none may be like a dev or test question")
    deduplicate: tuple[Way, ...] = Field(
        default=("exact", "minhash"), description="how none may be like a question that is trained on")
    seeds: int = Field(default=0, ge=0, description="how many seeds are drawn")
    stop: tuple[str, ...] = Field(default=(), description="texts at which a draft, or a vote, ends")
    votes: int = Field(default=3, gt=0, description="answers per new question; the majority is its gold answer")
    correction_tokens: int | None = Field(default=None, gt=0, description="budget for corrections in this round")

    @model_validator(mode="after")
    def _fits(self) -> "EvolveConfig":
        if self.questions == "new" and not (self.model and self.seeds):
            raise ValueError("new questions need model (who writes them) and seeds (how many are drawn)")
        if self.questions == "same" and (self.model or self.seeds or self.after or not self.students):
            raise ValueError('questions = "same" needs students (arms, whose models make the mistakes) and takes '
                             "no model, seeds or after: no question is written")
        return self

    @property
    def voting(self) -> SampleConfig:
        return SampleConfig(models=(self.model,), paths=self.votes, **self.model_dump(include=DRAWING))

    @property
    def settling(self) -> "SettleConfig":
        return SettleConfig(**self.model_dump())

    def prompts_used(self) -> dict[str, str | None]:
        return {"evolve": self.prompt}


class SettleConfig(EvolveConfig):
    """What the votes on new questions are counted by; nobody is asked any more."""

    def models_used(self) -> tuple[str, ...]:
        return ()

    def prompts_used(self) -> dict[str, str | None]:
        return {}

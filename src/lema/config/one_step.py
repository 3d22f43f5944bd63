"""One-step corrections: a corrector writes one wrong step anew, and the model that was sampled goes on from there.

One design decision: the corrector's words (who, how text is drawn, its budget) are those of [correct] unless this
table has its own, and the student's those of [sample], so that a run states each once.
"""

from typing import Literal

from pydantic import Field, model_validator

from lema.plugins import Settings
from lema.records import Sampling


class ContinueConfig(Settings):
    """[continue]: corrections of one step, each gone on from by the model whose path it is. The table buys them
    beside whole corrections; with extent = "step" in [correct] they are bought instead, by its defaults."""

    model: str | None = Field(default=None, description="the corrector; by default that of [correct]")
    tokens: int | None = Field(default=None, gt=0, description="its budget; by default as many as [correct] has, "
                                                               "beside those")
    prompt: str | None = Field(default=None, description="a prompt file of your own for one step")
    reason: bool = Field(default=False, description="ask for a sentence on what is wrong, too")
    models: tuple[str, ...] = Field(default=(), description="whose mistakes; empty: as in [correct]")
    paths: int = Field(default=4, gt=0, description="how often the student goes on from a corrected step")
    agree: int = Field(default=2, gt=0, description="how many of them must end in the gold answer")
    alike: Literal["answer", "equations"] = Field(
        default="answer", description="equations: and make the same calculations on the way")
    tries: int = Field(default=4, gt=0, description="so often is a question's next mistake corrected again")
    order: Literal["depth", "breadth"] = Field(
        default="depth", description="depth: a question is corrected until it is solved before the next is begun; "
                                     "breadth: every question once before any twice")
    temperature: float | None = Field(default=None, ge=0, description="the student's; by default that of [sample]")
    max_tokens: int | None = Field(default=None, gt=0, description="the student's; by default those of [sample]")

    @model_validator(mode="after")
    def _fits(self) -> "ContinueConfig":
        if self.agree > self.paths:
            raise ValueError(f"agree = {self.agree} of paths = {self.paths} can never be; raise paths or lower "
                             "agree")
        return self


class ContinueOneConfig(Settings):
    """The one-step corrections of one round."""

    model: str
    students: tuple[str, ...]
    tokens: int | None
    prompt: str | None
    form: Literal["completion", "chat"]
    reason: bool
    asking: Sampling
    going_on: Sampling
    solve: str | None = Field(description="the few-shot prompt that the students were sampled with")
    paths: int
    agree: int
    tries: int
    order: Literal["depth", "breadth"]
    checks: tuple[str, ...]
    alike: Literal["answer", "equations"] = "answer"

    def facts(self) -> dict:
        """What is not set is left out: no run becomes stale by a setting that it does not use."""
        facts = super().facts()
        if self.alike == "answer":
            del facts["alike"]
        return facts

    @property
    def max_tokens(self) -> int:
        """Of the corrector's reply."""
        return self.asking.max_tokens

    def models_used(self) -> tuple[str, ...]:
        return (self.model, *self.students)

    def prompts_used(self) -> dict[str, str | None]:
        solving = {"question": None} if self.solve is None else {"solve": self.solve}
        return {"correct_step": self.prompt, **solving, "decoding": None}

"""One line of an arm: which examples it takes, of which kind and from which round.

One design decision: it stands with the kinds and not with the config, because what a line means is the kind's
affair; the config only holds the lines.
"""

from typing import Literal

from pydantic import Field

from lema.plugins import Open

Sort = Literal["right", "wrong"]
"""Which paths are judged by a critique."""


class Take(Open):
    """One line of an arm: which examples it takes. Further keys belong to the kind (lema.examples.<kind>).

    kind   a shipped kind of example, or a dotted path of your own
    round  "" for the questions of the task, or the name of an [evolve.X] table
    """

    kind: str
    round: str = ""
    models: tuple[str, ...] = Field(default=(), description="whose paths or mistakes; empty: all")
    limit: int | None = Field(default=None, gt=0, description="at most so many, drawn by seed")
    tokens: int | None = Field(default=None, gt=0, description="at most so many tokens with loss, drawn by seed")
    per_question: int | None = Field(default=None, gt=0)

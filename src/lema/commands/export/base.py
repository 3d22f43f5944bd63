"""The checkpoint that a run's arms continue from, as far as an export must know it: how it marks a text's start
and end, its chat template, and how long its texts may be.

One design decision: only what already lies on this machine is read, and nothing is downloaded; a base that cannot
be read is not guessed at, and the configs say what is left to fill in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lema.checkpoints import load_tokenizer, positions
from lema.checkpoints.rendering import Form, Rendered, render
from lema.config import Config
from lema.errors import ModelError
from lema.messages import Message
from lema.runs.dependencies import form_of
from lema.runs.run import Stage

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NO_MODEL = "put-your-model-here"


@dataclass(frozen=True)
class Base:
    """A folder or hub id, and its tokenizer where that is at hand; `start` is what the tokenizer puts before any
    text, `form` how the run puts a prompt to it."""

    path: str = NO_MODEL
    tokenizer: "PreTrainedTokenizerBase | None" = None
    start: str = ""
    positions: int | None = None
    form: Form = "chat"

    @classmethod
    def of(cls, config: Config, stages: dict[str, Stage]) -> "Base":
        """The base of a config's [train], or of none."""
        path = _path(config, stages) if config.train else NO_MODEL
        if path == NO_MODEL:
            return cls()
        try:
            tokenizer = load_tokenizer(Path(path))
            longest = positions(Path(path))
            plain, marked = (Rendered("a", special).ids(tokenizer) for special in (False, True))
        except ModelError:
            return cls(path)
        start = tokenizer.decode(marked[:len(marked) - len(plain)])
        return cls(path, tokenizer, start, longest, form_of(config, config.train.base))

    def marked(self, question: str, prefix: str, completion: str) -> dict[str, str]:
        """A row with what this base has around it: its chat template where it has one, and its end. `start` stands
        apart, because some trainers add it themselves. ModelError where the template refuses the question."""
        text, special = render(self.tokenizer, [Message("user", question)], self.form)
        start = self.start if special or text.startswith(self.start) else ""
        prompt = text if special else text.removeprefix(start)
        return {"start": start, "prompt": prompt + prefix,
                "completion": completion + self.tokenizer.eos_token}


def _path(config: Config, stages: dict[str, Stage]) -> str:
    model = config.models.get(config.train.base)
    if model is None:
        path = config.train.base
    elif (grown := stages.get(f"students/{config.train.base}")) is not None:
        path = str(grown.folder / "model")
    else:
        path = str(model.own.get("path", NO_MODEL))
    return str(Path(path).resolve()) if Path(path).is_dir() else path

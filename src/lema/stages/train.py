"""One model: the base continued on one arm's set with one seed.

One design decision: the budget is turned into an exact stream of examples before the trainer starts, so every
arm sees what its table says and no library's epoch decides.
"""

from collections.abc import Iterable, Iterator

from lema.config import TrainOneConfig
from lema.records import Checkpoint, Example
from lema.runs.context import StageContext
from lema.training import find_trainer

VERSION = 1


def train(context: StageContext, settings: TrainOneConfig, examples: Iterable[Example]) -> Iterator[Checkpoint]:
    """The trained checkpoint in `model/`, and one row that says what it saw."""
    from lema.checkpoints import weights_hash
    from lema.training.stream import stream

    trainer = find_trainer(settings.trainer, settings.options)
    rows = stream(list(examples), settings.budget, settings.seed, trainer.steps)
    out = context.folder / "model"
    log = trainer.fit(rows, context.checkpoint(settings.base), out, settings.seed, context.show)
    yield Checkpoint(name=f"{settings.arm}-{settings.seed}", steps=log.steps, examples=log.examples,
                     tokens=log.tokens, all_tokens=log.all_tokens, loss=round(log.loss, 6),
                     weights=weights_hash(out))

"""A run as Python sees it: its rows as records, as a pandas frame or as a data set (docs/python.md).

One design decision: nothing is copied and nothing is read before it is asked for; rows come from the stages' own
files, checked as every reader of a run checks them, so a half-done run shows what is there.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import tomli_w

from lema.errors import ConfigError, RunError
from lema.records import Account, Correction, Example, Question, ReasoningPath, to_row
from lema.runs.ratings import Rating, ratings_of
from lema.statistics.scores import Comparison, Score

if TYPE_CHECKING:
    from datasets import Dataset
    from pandas import DataFrame

    from lema.config import Config
    from lema.runs.run import Stage

Record = TypeVar("Record")


class Rows(Generic[Record]):
    """The rows of one or several stages, read anew each time they are iterated over."""

    def __init__(self, stages: "Sequence[Stage]") -> None:
        self._stages = stages

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self._stages)

    def __len__(self) -> int:
        return sum((stage.record() or {}).get("rows", 0) for stage in self._stages)

    def __repr__(self) -> str:
        return f"<{len(self):,} rows of {', '.join(stage.name for stage in self._stages) or 'no stage'}>"

    def dicts(self) -> Iterator[dict[str, Any]]:
        """The rows as plain dictionaries, as they stand in rows.jsonl."""
        return map(json.loads, map(to_row, self))

    def to_pandas(self) -> "DataFrame":
        """A frame of all rows, a column for each field. All of them are held in memory."""
        from pandas import DataFrame

        return DataFrame(list(self.dicts()))

    def to_dataset(self) -> "Dataset":
        """A Hugging Face data set of all rows. All of them are held in memory."""
        from datasets import Dataset

        return Dataset.from_list(list(self.dicts()))


class OpenedRun:
    """A run's folder. What is not done yet has no rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<run {self.config.name!r} in {self.folder}: {len(self.done)} stages done>"

    @cached_property
    def config(self) -> "Config":
        """The config that the run was made with."""
        from lema.commands.run_folder import config_of

        return config_of(self.folder)

    @property
    def done(self) -> tuple[str, ...]:
        """The names of the finished stages."""
        return tuple(self._done())

    def rows(self, stage: str) -> Rows[Any]:
        """The rows of a finished stage by its name, such as "try-1/verified"; RunError where there is none."""
        done = self._done()
        if stage not in done:
            raise RunError(f"{self.folder}: no finished stage {stage!r}; finished are {', '.join(done) or 'none'}")
        return Rows([done[stage]])

    @property
    def questions(self) -> Rows[Question]:
        """The task's questions, and those of evolved rounds."""
        return Rows([each.questions for each in self._rounds() if each.questions.name in self._done()])

    @property
    def paths(self) -> Rows[ReasoningPath]:
        """The graded paths of all rounds; the wrong ones have verdict "wrong"."""
        return Rows([each.graded for each in self._rounds() if each.graded.name in self._done()])

    @property
    def corrections(self) -> Rows[Correction]:
        """The checked corrections of all rounds; `verified` says which were kept, `rejected` why one was not."""
        return Rows([each.verified for each in self._rounds()
                     if each.verified is not None and each.verified.name in self._done()])

    @property
    def sets(self) -> dict[str, Rows[Example]]:
        """The training set of each arm."""
        from lema.config import AssembleConfig
        from lema.stages.assemble import assemble

        made = {}
        for stage in self._done().values():
            of = stage.settings
            if stage.verb is assemble and isinstance(of, AssembleConfig) and of.arm in self.config.arms:
                made[of.arm] = Rows[Example]([stage])
        return made

    @property
    def accounts(self) -> Rows[Account]:
        """What each arm's set holds and what it cost."""
        return Rows(self._of(Account))

    @property
    def scores(self) -> Rows[Score]:
        """How each trained model did, on all questions (level None) and by level."""
        return Rows(self._of(Score))

    @property
    def comparisons(self) -> Rows[Comparison]:
        """Every arm against the baseline, and the planned pairs."""
        from lema.stages.score import compare

        return Rows([stage for stage in self._done().values() if stage.verb is compare])

    @property
    def ratings(self) -> list[Rating]:
        """What people think of the corrections (`lema view`)."""
        return ratings_of(self.folder)

    def _of(self, kind: type) -> "list[Stage]":
        return [stage for stage in self._done().values() if stage.kind is kind]

    def _done(self) -> "dict[str, Stage]":
        from lema.commands.run_folder import finished, stages_of

        return finished(stages_of(self.folder, self.config))

    def _rounds(self) -> list[Any]:
        from lema.pipeline import gathered
        from lema.runs.run import Run

        return list(gathered(Run(self.folder, lambda planned: None, self.config), self.config).rounds.values())


def open_run(run: str | Path, runs: str | Path = "runs") -> OpenedRun:
    """The run of that name below `runs`, or in that folder. RunError where there is none."""
    from lema.commands.run_folder import config_of, folder_of

    folder = folder_of(str(run), Path(runs))
    config_of(folder)
    return OpenedRun(folder)


def run_in_python(config: "str | Path | Mapping[str, Any]", *, runs: str | Path = "runs",
                  overrides: Sequence[str] = (), yes: bool = False) -> OpenedRun:
    """Does what a config says and returns the run; what was done before is remembered.

    `config` is a TOML file, a recipe's name, a run's folder, or the config itself as a dictionary, which must have
    a `name`. `overrides` are laid over it ("sample.paths=4"). LemaError says in one line what has to be mended.
    """
    from lema.commands.run import run_config

    if not isinstance(config, Mapping):
        return OpenedRun(run_config(str(config), list(overrides), Path(runs), yes=yes))
    if not config.get("name"):
        raise ConfigError("run: a config that is a dictionary needs a name, which its run gets too")
    with tempfile.TemporaryDirectory(prefix="lema-") as folder:
        file = Path(folder) / f"{Path(str(config['name'])).name}.toml"
        file.write_text(tomli_w.dumps(dict(config)), encoding="utf-8")
        return OpenedRun(run_config(str(file), list(overrides), Path(runs), yes=yes))

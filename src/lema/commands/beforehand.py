"""What a run would fail at after it has paid for something, said before: by `lema plan`, and when a run starts.

    lema: train.max_length: 22 of 7,500 questions with their worked solutions are longer than 1,536 tokens …

One design decision: only what is certain is refused, by what can be measured without asking a model; what cannot
be looked at yet (weights on the hub, a student that is still to be grown) is said to be unseen.
"""

import inspect
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lema.checkpoints import (
    HUB_ID,
    content_files,
    content_hash,
    fetched,
    find_adapter,
    load_tokenizer,
    positions,
    require_checkpoint,
)
from lema.checkpoints.rendering import by_template
from lema.config import Config
from lema.errors import ConfigError, ConfigErrors, DataError, LemaError, ModelError
from lema.records import Example, Question, content_id
from lema.runs.dependencies import MADE_HERE, PROBE, backend_settings, form_of, model_facts
from lema.runs.run import Stage
from lema.stages.assemble import assemble
from lema.stages.train import training
from lema.tasks import find_task
from lema.training import Trainer, find_trainer


def look_ahead(config: Config, stages: dict[str, Stage], fetch: bool = False) -> list[str]:
    """What is worth knowing before the stages that are not done are performed. LemaError where one of them could
    only fail. With `fetch` what can be looked at on the hub is looked at there."""
    waiting = [stage for stage in stages.values() if stage.status().state != "done"]
    problems, notes = Problems(), []
    if config.train is not None:
        for check in (_check_base, _check_names):
            with problems.gathered():
                check(config)
    with problems.gathered():
        notes += _unseen_weights(config, waiting, fetch)
    with problems.gathered():
        _check_examined(config)
    sets = [stage for stage in waiting if stage.verb is assemble]
    problems.raise_all()
    if config.train is None or not sets:
        return notes
    trainer = find_trainer(config.train.trainer, config.train.own)
    folder, why = _base_folder(config, sets[0], fetch)
    with problems.gathered():
        _check_prompts(config, trainer, folder)
    with problems.gathered():
        if folder is None:
            notes.append(f"train.max_length: not checked against the questions, {why}")
        else:
            notes += _lengths(config, stages, trainer, folder, fetch)
    problems.raise_all()
    return notes


def base_folder(config: Config, stages: dict[str, Stage]) -> Path | None:
    """Where the config, and the tokenizer at least, of the base lies; None where it is not to be had (`look_ahead`
    says why)."""
    sets = [stage for stage in stages.values() if stage.verb is assemble]
    given = sets[0].models[config.train.base] if sets else {}
    has_weights = isinstance(given, Stage) or "path" in given
    try:
        return _base_folder(config, sets[0], True)[0] if has_weights else None
    except ModelError:
        return None


class Problems:
    """What several inspections found wrong, said together."""

    def __init__(self) -> None:
        self._errors: list[LemaError] = []

    def add(self, error: LemaError) -> None:
        if str(error) not in map(str, self._errors):
            self._errors.append(error)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keeps what is raised, so that the next inspection is made all the same."""
        try:
            yield
        except (ConfigError, DataError, ModelError) as error:
            self.add(error)

    def raise_all(self) -> None:
        """Raises the only problem as it was, or all as one."""
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            lines: dict[str, None] = {}
            for error in self._errors:
                lines.update(dict.fromkeys(error.lines))
            raise ConfigErrors("\n".join(lines))


def _check_base(config: Config) -> None:
    """ConfigError where the base is a model without weights of its own here, or more than its weights."""
    name = config.train.base
    table = config.models.get(name)
    if table is None or table.grow:
        return
    settings = backend_settings(name, table.backend, table.own)
    if not hasattr(settings, "path"):
        raise ConfigError(f"train.base = {name!r}: [models.{name}] is asked through backend {table.backend!r} and "
                          f"has no weights here to train; name a model of backend {MADE_HERE!r}, a checkpoint "
                          "folder or a hub id")
    if getattr(settings, "adapter", None):
        raise ConfigError(f"train.base = {name!r}: training would leave out its adapter {settings.adapter}; merge "
                          "that into a checkpoint and name the folder")


def _check_names(config: Config) -> None:
    """ConfigError where a model that is trained has a table too, which would ask it in another way than it was
    trained."""
    for trained in training(config):
        name = f"{trained.arm}-{trained.seed}"
        if name in config.models:
            raise ConfigError(f"models.{name}: what arm {trained.arm!r} is trained to with seed {trained.seed} "
                              "has this name, and is asked as its base is; give the table another name")


def _check_prompts(config: Config, trainer: Trainer, folder: Path | None) -> None:
    """ConfigError where a prompt would be put to a model in two ways, in its training and when it is asked."""
    name, form = config.train.base, form_of(config, config.train.base)
    if form == "completions" and "form" not in inspect.signature(trainer.fit).parameters:
        raise ConfigError(f"train.trainer = {config.train.trainer!r} trains through the chat template alone (its "
                          f"fit takes no form), and models.{name}.form = \"completions\" asks past it")
    roles = [message.role for message in find_task(config.task.name, config.task.own).prompt(PROBE)]
    templated = form == "chat" and (folder is None or by_template(load_tokenizer(folder), form))
    if roles != ["user"] and templated:
        raise ConfigError(f"task {config.task.name}: it asks in the messages {', '.join(roles)}, which a chat "
                          "template puts otherwise than the one text that is trained on; ask in one user message, "
                          "or name a base in [models] with form = \"completions\"")


def _unseen_weights(config: Config, waiting: Iterable[Stage], fetch: bool) -> Iterator[str]:
    """The hub ids that could not be looked at. ModelError where weights that a stage needs are not there."""
    seen = set()
    for stage in waiting:
        for name, given in stage.models.items():
            if isinstance(given, Stage) or "path" not in given or given["path"] in seen:
                continue
            seen.add(given["path"])
            where = f"models.{name}.path" if name in config.models else "train.base"
            try:
                there = _look_at(given["path"], fetch)
                if given.get("adapter"):
                    find_adapter(given["adapter"])
            except ModelError as error:
                raise ModelError(f"{where}: {error}") from None
            if there is None:
                yield f"{where}: no folder {given['path']} here; it is looked up on the hub when the run starts"


def _check_examined(config: Config) -> None:
    """That no two examined models are the same one under two names: they would give the same answers, from the
    journal even, and stand as two results. Contents are read only of folders whose files have the same sizes."""
    alike: dict[str, list[tuple[str, Path | None]]] = defaultdict(list)
    for name in config.evaluate.models:
        model = config.models[name]
        if model.grow:
            continue
        facts = model_facts(name, model.backend, model.own)
        folder = Path(facts["path"]) if Path(facts.get("path") or "").is_dir() and facts.get("path") else None
        if folder is not None:
            facts["path"] = [(file.name, file.stat().st_size) for file in content_files(folder)]
        alike[content_id(facts)].append((name, folder))
    for several in filter(lambda each: len(each) > 1, alike.values()):
        names: dict[str, str] = {}
        for name, folder in several:
            first = names.setdefault(content_hash(folder) if folder else "", name)
            if first != name:
                raise ConfigError(f"evaluate.models: {first} and {name} are one checkpoint under two names; "
                                  "examined twice it is one result, so leave one out (several answers to each "
                                  "question, evaluate.paths with a temperature, show how far it differs from "
                                  "itself)")


def _look_at(path: str, fetch: bool) -> Path | None:
    """The folder of a checkpoint, or what is here of it of the hub's; None where nothing is."""
    if Path(path).is_dir() or not HUB_ID.fullmatch(path):
        require_checkpoint(Path(path))
        return Path(path)
    return fetched(path, fetch)


def _base_folder(config: Config, stage: Stage, fetch: bool) -> tuple[Path | None, str]:
    """Where the tokenizer of the base lies, or why it is not to be had yet."""
    given = stage.models[config.train.base]
    if isinstance(given, Stage):
        done = given.status().state == "done"
        return (given.folder / "model" if done else None), f"{config.train.base} is still to be grown"
    return _look_at(given["path"], fetch), f"the tokenizer of {given['path']} is not on this machine yet"


def _lengths(config: Config, stages: dict[str, Stage], trainer: Trainer, folder: Path,
             fetch: bool) -> Iterator[str]:
    """How long questions with their worked solutions are, for [train] and for each arm with a limit of its own.
    ConfigErrors where an arm trains on one that is too long for a trainer that refuses it."""
    limits = _limits(config, trainer)
    if not limits:
        return
    questions = stages["questions"]
    if questions.status().state != "done":
        if config.task.own.get("dataset") and not fetch:
            yield "train.max_length: not checked, the questions are fetched when the run starts"
            return
        questions = find_task(config.task.name, config.task.own).questions("train")
    lengths = [(length, question.source or question.id)
               for question, length in _measured(config, folder, questions)]
    longest, worst = max(lengths, default=(0, ""))
    problems, room = Problems(), positions(folder)
    for (table, most, overlong), arms in limits.items():
        limit = min(most, room)
        over = sum(length > limit for length, _ in lengths)
        if not over:
            yield (f"{table}.max_length: the longest question with its worked solution has {longest:,} of "
                   f"{limit:,} tokens; what models will write is not known yet")
            continue
        finding = (f"{table}.max_length: {over:,} of {len(lengths):,} questions with their worked solutions are "
                   f"longer than {limit:,} tokens (the longest {longest:,}: {worst})")
        if overlong == "refuse" and any(_takes_worked(config.arms[arm]) for arm in arms):
            problems.add(ConfigError(f'{finding}; raise it, or set {table}.overlong = "drop" to leave such rows '
                                     "out"))
        else:
            yield f"{finding}: rows of them are {'left out' if overlong == 'drop' else 'refused'}"
    problems.raise_all()


def _limits(config: Config, trainer: Trainer) -> dict[tuple[str, int, str], list[str]]:
    """(table that says it, tokens, what becomes of longer rows) -> the arms that are trained so."""
    common = getattr(trainer, "longest", None), getattr(trainer, "overlong", "refuse")
    limits: dict[tuple[str, int, str], list[str]] = {}
    for arm in config.arms:
        own = find_trainer(*config.trainer_of(arm))
        limit = getattr(own, "longest", None), getattr(own, "overlong", "refuse")
        if limit[0] is not None:
            limits.setdefault(("train" if limit == common else f"arms.{arm}.train", *limit), []).append(arm)
    return limits


def _measured(config: Config, folder: Path, questions: Iterable[Question]) -> Iterator[tuple[Question, int]]:
    """The training questions with their tokens, as a fit of the base sees them."""
    from lema.training.sft import count_tokens

    task = find_task(config.task.name, config.task.own)
    tokens_of = count_tokens(folder, form_of(config, config.train.base))
    for question in questions:
        if question.split == "train":
            prompt = "\n\n".join(message.content for message in task.prompt(question))
            yield question, sum(tokens_of(Example(kind="cot", source="worked", prompt=prompt, question=question.id,
                                                  completion=question.solution or " ")))


def _takes_worked(arm) -> bool:
    return any(take.kind == "cot" and not take.round and take.own.get("source", "worked") == "worked"
               for take in arm.take)

"""`lema judge-corrector`: how good a model is at correcting, and what each check of its corrections is worth.

One design decision: a corrector is judged by the road that it takes in a run (prompt, reply, parser, checks), on
mistakes whose first wrong step is known; what is known never reaches it. The folder holds a journal as a run's
does, so a measurement that was stopped goes on where it was and no reply is paid for again.
"""

import itertools
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from lema.commands.judge_corrector.judged import judge, requests
from lema.commands.judge_corrector.labelled import planted, read_labelled
from lema.commands.judge_corrector.measures import as_json, in_words, measured
from lema.config import lay_over, load_config
from lema.errors import ConfigError
from lema.journal import Journal, complete
from lema.messages import Model
from lema.models import find_model
from lema.plugins import near_miss
from lema.prompting import CUE, REWRITE_CUE, find_prompt
from lema.records import Sampling
from lema.runs.folder import held
from lema.runs.outcomes import Outcomes

HUMAN = "human"
FORMS = ("completion", "chat")
NOT_OF_LABELS = ("answer",)  # what cannot be asked of labels: they correct one step and do not go on to an answer


def judge_corrector(model: str, *, config: str | None, options: Sequence[str], files: Sequence[Path], lab: int,
                    seed: int, limit: int | None, prompt: str | None, form: str, max_tokens: int, out: Path | None,
                    for_programs: bool) -> str:
    """Asks the model, writes rows.jsonl and summary.json into `out`, and returns what is printed."""
    if bool(files) == bool(lab):
        raise ConfigError("judge-corrector: give either --mistakes FILE (several times, if you like) or --lab N")
    if form not in FORMS:
        raise ConfigError(f"judge-corrector --form {form}: no such form{near_miss(form, list(FORMS))}")
    backend = _backend(model, config, options)
    labelled = planted(lab, seed) if lab else itertools.chain.from_iterable(map(read_labelled, files))
    labels = list(itertools.islice(labelled, limit))
    if hasattr(backend, "available"):
        labels = [label for label in labels if backend.available(label.as_question)]
    if not labels:
        raise ConfigError("judge-corrector: no labelled path is left; check the files and a replay's columns")
    task = "lab" if lab else "gsm8k"
    sampling = Sampling(max_tokens=max_tokens, seed=seed)
    template = find_prompt(prompt or "correct", task).fitting("correct")
    if template.cue == REWRITE_CUE:
        raise ConfigError(f"judge-corrector: prompt {template.name} names no step, it asks for mistakes in prose; "
                          f'give one that ends in "{CUE}"')
    asking = requests(labels, template, sampling, form)
    folder = out or Path("judged") / model
    without = NOT_OF_LABELS if model == HUMAN else ()
    with held(folder), closing(Journal(folder / "journal.sqlite")) as journal:
        # two people may label the same path differently: their replay is asked itself, never the journal
        replies = (backend.complete(asking) if model == HUMAN else
                   complete(journal, backend, asking, lambda *_: None))
        outcomes = Outcomes(served=not getattr(backend, "runs_here", False))
        rows = [judge(label, reply, without, template.cue)
                for label, reply in zip(labels, outcomes.of(replies), strict=True)]
        outcomes.require_any("judge-corrector", model, lambda: False)
        groups, worths = measured(rows)
        (folder / "rows.jsonl").write_text("".join(row.row() + "\n" for row in rows), encoding="utf-8")
        (folder / "summary.json").write_text(as_json(groups, worths) + "\n", encoding="utf-8")
    if for_programs:
        return as_json(groups, worths)
    return f"{in_words(groups, worths, proved=bool(lab))}\n\nevery reply: {folder / 'rows.jsonl'}; the figures: " \
           f"{folder / 'summary.json'}"


def _backend(model: str, config: str | None, options: Sequence[str]) -> Model:
    """The model of that name in the config, or a backend of that name with the given options."""
    table: dict = {}
    if config is not None:
        models = load_config(config).models
        if model not in models:
            raise ConfigError(f"judge-corrector: no [models.{model}] in {config}{near_miss(model, list(models))}")
        if models[model].grow:
            raise ConfigError(f"judge-corrector: {model} is grown in a run; name its checkpoint: judge-corrector "
                              "transformers --option path=runs/NAME/students/X/model")
        backend, table = models[model].backend, models[model].own
    else:
        backend = "lema.commands.judge_corrector.human" if model == HUMAN else model
    for option in options:
        lay_over(table, option)
    return find_model(model, backend, table)

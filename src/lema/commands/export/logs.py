"""A run's examined answers for other tools: an inspect_ai log, or lm-eval samples, for each model.

    {"id": "37835c9b8f2262cb", "epoch": 1, "input": "At the fair…", "target": "14", "scores": {"lema": …}, …}

One design decision: what is written is what was asked, answered and judged here, under the other tool's own names;
nothing is judged anew, and each answer keeps its id of the run.
"""

import json
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from lema import __version__
from lema.commands.run_folder import config_of, finished, going_on, stages_of
from lema.config import Config
from lema.errors import RunError
from lema.printable import one_line
from lema.records import Question, ReasoningPath, content_id
from lema.runs.run import Stage
from lema.scratch import by_id
from lema.stages.grade import grade
from lema.stages.sample import sample
from lema.tasks import Task, find_task

FORMS = ("inspect", "lm-eval")
MARK = {"right": "C"}  # inspect's correct; everything else is its incorrect


def export_answers(folder: Path, out: Path, form: str) -> str:
    """Writes a file for each examined model and set to the new folder `out`; says which. RunError where nothing is
    examined yet, or `out` is there already or cannot be written."""
    config = config_of(folder)
    examined = [stage for stage in finished(stages_of(folder, config)).values() if _is_examination(stage)]
    if not examined:
        raise RunError(f"{folder}: nothing is examined yet; `{going_on(folder)}` does that")
    if os.path.lexists(out):
        raise RunError(f"{out}: already there; give another folder with --out, or move it away")
    part = Path(f"{os.path.abspath(out)}.part")
    lines = [f"{out}: answers as {form} has them"]
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for stage in examined:
            lines += _write(part, stage, config.on(stage.test_set), form)
        part.rename(out)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise RunError(f"{out}: cannot be written ({error.strerror or error}); give another folder with --out, or "
                       "make room there") from None
    return "\n".join(lines)


def _is_examination(stage: Stage) -> bool:
    return stage.verb is grade and stage.name.rpartition("/")[2] == "examined"


def _write(part: Path, stage: Stage, config: Config, form: str) -> Iterator[str]:
    where = stage.test_set or config.task.name
    finished_at = {source.settings.models[0]: source.record()["finished"] for source in stage.sources
                   if source.verb is sample}
    questions = next(source for source in stage.sources if source.kind is Question)
    with by_id(None, Question, questions) as texts:
        for model, paths in groupby(stage, attrgetter("model")):
            name = f"{where}_{model.strip('/').replace('/', '--')}"
            task = find_task(config.task.name, config.task.own)
            if form == "inspect":
                file = part / f"{name}.json"
                log = inspect_log(model, where, finished_at[model], _samples(task, paths, texts.get))
                file.write_text(one_line(json.dumps(log, ensure_ascii=False)), encoding="utf-8")
                count = len(log["samples"])
            else:
                file = part / f"samples_{name}.jsonl"
                rows = list(lm_eval_rows(task, paths, texts.get))
                file.write_text("".join(one_line(json.dumps(row, ensure_ascii=False)) + "\n" for row in rows),
                                encoding="utf-8")
                count = len(rows)
            yield f"  {file.name}  {count:,} answers"


def _samples(task: Task, paths: Iterable[ReasoningPath], question_of: Callable) -> Iterator[dict]:
    """Samples of an inspect log; a question's several answers are its epochs."""
    for path in paths:
        question = question_of(path.question)
        prompt = [{"role": message.role, "content": message.content} for message in task.prompt(question)]
        reply = {"role": "assistant", "content": path.text, "source": "generate", "model": path.model}
        usage = {"input_tokens": path.prompt_tokens, "output_tokens": path.tokens,
                 "total_tokens": path.prompt_tokens + path.tokens}
        yield {
            "id": question.id, "epoch": path.index + 1, "input": question.text, "target": question.answer,
            **({"choices": list(question.choices)} if question.choices else {}),
            "messages": [*prompt, reply],
            "output": {"model": path.model, "completion": path.text, "usage": usage, "choices": [
                {"message": reply, "stop_reason": {"length": "max_tokens"}.get(path.finish, "stop")}]},
            "scores": {"lema": {"value": MARK.get(path.verdict, "I"), "answer": path.answer,
                                "explanation": f"{path.verdict}: {path.how}",
                                "metadata": {"verdict": path.verdict, "path": path.id}}},
            "metadata": {"level": question.level, "source": question.source}, "model_usage": {path.model: usage}}


def inspect_log(model: str, task: str, finished_at: str, samples: Iterable[dict]) -> dict:
    """A whole log in inspect_ai's JSON form, version 2. Times are those at which the answers were complete."""
    samples = list(samples)
    right = [each["scores"]["lema"]["value"] == "C" for each in samples]
    usage: Counter[str] = Counter()
    for each in samples:
        usage.update(each["output"]["usage"])
    ids = list(dict.fromkeys(each["id"] for each in samples))
    epochs = max((each["epoch"] for each in samples), default=1)
    identity = content_id(model, task, ids)
    return {
        "version": 2, "status": "success",
        "eval": {"eval_id": identity, "run_id": identity, "task_id": identity, "task": task, "task_version": 0,
                 "created": finished_at, "model": model, "model_args": {}, "task_args": {},
                 "packages": {"lema": __version__},
                 "dataset": {"name": task, "samples": len(ids), "sample_ids": ids}, "config": {"epochs": epochs}},
        "plan": {"name": "plan", "steps": [], "config": {}},
        "results": {"total_samples": len(samples), "completed_samples": len(samples), "scores": [
            {"name": "lema", "scorer": "lema", "params": {}, "metrics": {
                "accuracy": {"name": "accuracy", "value": sum(right) / max(1, len(right)), "params": {}}}}]},
        "stats": {"started_at": finished_at, "completed_at": finished_at, "model_usage": {model: dict(usage)}},
        "samples": samples}


def lm_eval_rows(task: Task, paths: Iterable[ReasoningPath], question_of: Callable) -> Iterator[dict]:
    """Rows of samples_*.jsonl, one for each question, in the order in which they were asked."""
    answered: dict[str, list[ReasoningPath]] = defaultdict(list)
    for path in paths:
        answered[path.question].append(path)
    for number, (identifier, several) in enumerate(answered.items()):
        question = question_of(identifier)
        prompt = "\n\n".join(message.content for message in task.prompt(question))
        right = sum(path.verdict == "right" for path in several) / len(several)
        drawn = several[0].sampling
        yield {
            "doc_id": number, "doc": {"id": question.id, "question": question.text, "answer": question.answer},
            "target": question.answer,
            "arguments": {"gen_args_0": {"arg_0": prompt, "arg_1": {
                "until": list(drawn.stop), "max_gen_toks": drawn.max_tokens, "temperature": drawn.temperature}}},
            "resps": [[path.text for path in several]], "filtered_resps": [path.answer or "" for path in several],
            "filter": "lema", "metrics": ["exact_match"], "exact_match": right,
            "doc_hash": content_id(question.id), "prompt_hash": content_id(prompt),
            "target_hash": content_id(question.answer)}

"""Where answers come from: a run's arm or model, rows of a run, inspect logs, lm-eval samples, plain rows.

    {"doc_id": 0, "doc": {"question": "What is 3 + 8?"}, "target": "11", "resps": [["It is 11."]], …}
    → Answered(question="w:what is 3 + 8", gold="11", right=1.0, judge="lm-eval exact_match")

One design decision: a question is its words, without case, spaces and punctuation, so that what two tools call
it does not matter; where a row has no words of a question, its id stands for it.
"""

import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, NamedTuple

from lema.commands.run_folder import config_of, finished, folder_of, stages_of
from lema.commands.score.predictions import Prediction, judge_named
from lema.decontamination.words import normal
from lema.errors import ConfigError, DataError, installing
from lema.plugins import near_miss
from lema.records import Question, ReasoningPath
from lema.runs.run import Stage
from lema.scratch import by_id
from lema.stages.grade import grade
from lema.stages.score import score
from lema.tasks._files import FileRow, read_file

WORDS = ("question", "problem", "input", "query", "prompt", "Question", "sQuestion")
"""What files call the words of a question."""
VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0, True: 1.0, False: 0.0}  # inspect's marks
LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # before each file of a ZIP archive; its last two: what stands between
SAMPLE_BYTES = 256 << 20  # unpacked: no answer is longer, and an archive of a few bytes may unpack to any size
METRICS = ("exact_match", "acc", "math_verify", "correct", "score", "right")


class Answered(NamedTuple):
    """One answer to one question, and what its grader made of it: 1 right, 0 not."""

    question: str
    gold: str
    right: float
    judge: str
    wording: str = ""  # names the text of a worked answer, of several words


class Row(NamedTuple):
    """An answer as it stands in a file."""

    place: str
    question: str
    text: str
    gold: str
    right: float | None
    judge: str


def read_source(place: str, runs: Path, task: str | None) -> dict[str, list[Answered]]:
    """The answers of a source by seed; "" where it names none."""
    path = Path(place)
    if path.is_file() and path.suffix == ".eval":
        return {"": list(_judged(_inspect(place, _zipped(path)), task))}
    if path.is_file():
        return {"": list(_judged(_of_file(path), task))}
    return _of_run(place, runs, task)


def _of_run(place: str, runs: Path, task: str | None) -> dict[str, list[Answered]]:
    """RUN:ARM with all seeds, or RUN:MODEL; RUN@SET:ARM on one of its further test sets."""
    run, colon, name = place.rpartition(":")
    run, _, test_set = run.partition("@")
    folder = folder_of(run, runs)
    if not colon or not (folder / "config.toml").is_file():
        raise DataError(f"{place}: neither a file nor RUN:ARM, where `lema run` has made RUN")
    stages = stages_of(folder, config_of(folder))
    examined = next((each for each in finished(stages).values() if each.verb is grade and each.test_set == test_set
                     and each.name.endswith("examined")), None)
    scored = next((each for each in stages.values() if each.verb is score and each.test_set == test_set), None)
    if examined is None or scored is None:
        raise DataError(f"{place}: nothing has been examined in {folder}{f' on {test_set}' * bool(test_set)}")
    of_arm = {model: str(seed) for model, arm, seed in scored.settings.examined if arm == name}
    of_arm = of_arm or {name: ""}
    answers: dict[str, list[Answered]] = defaultdict(list)
    rows = _rows_of(examined, of_arm)
    for model, several in rows.items():
        answers[of_arm[model]] += _judged(several, task)
    if not answers:
        arms = list(dict.fromkeys(arm for _, arm, _ in scored.settings.examined))
        raise DataError(f"{place}: no arm or model {name!r}{near_miss(name, arms)}")
    return answers


def _rows_of(examined: Stage, models: dict[str, str]) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = defaultdict(list)
    questions = next(each for each in examined.sources if each.kind is Question)
    with by_id(None, Question, questions) as texts:
        for path in examined:
            if isinstance(path, ReasoningPath) and path.model in models:
                question = texts.get(path.question)
                rows[path.model].append(Row(path.id, _key(question.text), path.text, question.answer,
                                            float(path.verdict == "right"), "lema"))
    return rows


def _judged(rows: Iterable[Row], task: str | None) -> Iterator[Answered]:
    """The rows as they were judged, or judged anew as `task`."""
    judge = judge_named(task) if task else None
    for row in rows:
        right, by = row.right, row.judge
        if judge is not None:
            verdict = judge.grade(Prediction(row.place, row.question, row.text, row.gold)).verdict
            right, by = float(verdict == "right"), f"lema as {task}"
        if right is None:
            raise ConfigError(f"{row.place}: nothing says whether it is right; name with --task how it is to be "
                              "judged")
        yield Answered(row.question, row.gold, right, by, _wording(row.text))


def _wording(text: str) -> str:
    """"" for an answer of one word, which two models may well share."""
    several = " " in text.strip()
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=9).hexdigest() if several else ""


def _of_file(path: Path) -> Iterator[Row]:
    """One JSON document is an inspect log; JSON lines are lm-eval samples, or rows with text and gold answer."""
    if path.suffix == ".json":
        document = _document(path)
        if isinstance(document, dict) and "eval" in document:
            samples = document.get("samples")
            yield from _inspect(str(path), samples if isinstance(samples, list) else [])
            return
    rows = read_file(str(path))
    first = next(rows)
    of_row = _lm_eval if {"doc", "resps"} <= first.values.keys() else _plain
    for row in chain([first], rows):
        if row.values.get("filter") == first.values.get("filter"):  # lm-eval judges an answer by several filters
            yield of_row(row)


def _document(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None  # JSON lines under that name


def _zipped(path: Path) -> Iterator[dict]:
    """The samples of an .eval file, which is a ZIP archive with one JSON file for each."""
    try:
        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                if info.filename.startswith("samples/") and info.filename.endswith(".json"):
                    yield json.loads(_member(archive, path, info))
    except (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise DataError(f"{path}: not an inspect log that can be read ({error})") from None


def _member(archive: zipfile.ZipFile, path: Path, info: zipfile.ZipInfo) -> bytes:
    """A file of an archive. Inspect packs with Zstandard, which Python's own module reads from 3.14 on."""
    try:
        with archive.open(info) as file:
            return _bounded(file)
    except NotImplementedError:
        pass
    try:
        import zstandard
    except ImportError:
        raise ConfigError(f"{path}: is packed with Zstandard; {installing('compare')}, or convert it with "
                          "`inspect log convert --to json`") from None
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(LOCAL_HEADER.size)
        *_, name, extra = LOCAL_HEADER.unpack(header)
        file.seek(name + extra, 1)
        packed = file.read(info.compress_size)
    try:
        return _bounded(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)))
    except zstandard.ZstdError as error:
        raise ValueError(error) from None


def _bounded(file: IO[bytes]) -> bytes:
    content = file.read(SAMPLE_BYTES + 1)
    if len(content) > SAMPLE_BYTES:
        raise ValueError(f"a sample of over {SAMPLE_BYTES >> 20} MB")
    return content


def _inspect(place: str, samples: Iterable[object]) -> Iterator[Row]:
    for number, given in enumerate(samples, 1):
        sample = _fields(given)
        if not sample:
            raise DataError(f"{place}: sample {number}: no JSON object; the log is damaged, or of something else")
        where = f"{place}: sample {sample.get('id', number)}"
        name, mark = next(iter(_fields(sample.get("scores")).items()), ("", None))
        value = _fields(mark).get("value")
        if isinstance(value, dict):
            raise DataError(f"{where}: its score {name!r} holds several values; --task judges the texts instead")
        right = VALUES.get(value, value) if isinstance(value, str | bool | int | float) else None
        target = sample.get("target", "")
        yield Row(where, _key(_question_text(sample.get("input")), sample.get("id")), _reply(sample),
                  ", ".join(map(str, target)) if isinstance(target, list) else str(target),
                  _share(where, right), f"inspect {name}")


def _share(where: str, value: object) -> float | None:
    """How right an answer was called; None where that is no number. DataError where it is no share."""
    if not isinstance(value, int | float):
        return None
    if not 0 <= value <= 1:
        raise DataError(f"{where}: its score is {str(value)[:20]}, where 0 to 1 says how right an answer is; "
                        "--task judges the texts instead")
    return float(value)


def _fields(value: object) -> dict:
    """`value` where it is a JSON object, else one without any field."""
    return value if isinstance(value, dict) else {}


def _question_text(given: object) -> str:
    """What an inspect sample asks: a text, or the last message of the user."""
    if isinstance(given, list):
        users = [message for message in map(_fields, given) if message.get("role") == "user"]
        return _text(users[-1].get("content")) if users else ""
    return given if isinstance(given, str) else ""


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(_fields(part).get("text", "")) for part in content)
    return content if isinstance(content, str) else ""


def _reply(sample: dict) -> str:
    choices = _fields(sample.get("output")).get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return _text(_fields(_fields(first).get("message")).get("content"))


def _lm_eval(row: FileRow) -> Row:
    """A row of samples_*.jsonl: its metric is of all replies to the question."""
    values = row.values
    doc = _fields(values.get("doc"))
    words = next((doc[name] for name in WORDS if isinstance(doc.get(name), str)), "")
    metrics = values.get("metrics") if isinstance(values.get("metrics"), list) else []
    named = [name for name in (*metrics, *METRICS) if isinstance(name, str)]
    metric = next((name for name in named if isinstance(values.get(name), int | float)), None)
    replies = values.get("resps")
    while isinstance(replies, list) and replies and isinstance(replies[0], list):
        replies = replies[0]
    text = replies[0] if isinstance(replies, list) and replies and isinstance(replies[0], str) else ""
    gold = str(values.get("target", ""))
    which = f" ({values['filter']})" if values.get("filter") else ""
    return Row(row.place, _key(words, values.get("doc_id")), text, gold,
              _share(row.place, values.get(metric)), f"lm-eval {metric}{which}")


def _plain(row: FileRow) -> Row:
    """A row of one's own: a question's words or its id, a text, a gold answer; or a verdict of `lema score`."""
    values = row.values
    words = next((values[name] for name in WORDS[1:] if isinstance(values.get(name), str)), "")
    named = values.get("question", values.get("id"))
    if not words and isinstance(named, str) and " " in named:
        words, named = named, None
    if not words and named in (None, ""):
        raise DataError(f"{row.place}: no question; one of the columns {', '.join(WORDS)} or id must say which "
                        "was answered")
    right = None
    if "verdict" in values:
        right = float(values["verdict"] == "right")
    gold = str(values.get("gold", values.get("answer", "")))
    text = str(values.get("text", values.get("answer", "")))
    return Row(row.place, _key(words, named), text, gold, right, "lema")


def _key(words: str, name: object = None) -> str:
    """What a question is called here."""
    normalised = " ".join(normal(words)) if words else ""
    return f"w:{normalised}" if normalised else f"id:{name}"

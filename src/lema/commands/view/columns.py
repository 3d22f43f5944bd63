"""What can be filtered and sorted of a row: the few columns that rows of every kind share, and its words.

    {"path": "113b…", "model": "teacher", "verified": false, "rejected": "unreadable", …}
    → IndexedRow(parent="113b…", model="teacher", verdict="rejected", reason="unreadable", …)

One design decision: a row is read as plain JSON and mapped by the kind of its stage, so that a million rows are
indexed in minutes; the row itself stays in its file and is read there when it is shown.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lema.chains import StepCorrection
from lema.records import Correction, Critique, Example, Question, ReasoningPath, content_id
from lema.replies import split_steps


class IndexedRow(NamedTuple):
    """What the index keeps of a row beside its place; empty texts and None where its kind has no such thing."""

    id: str = ""
    question: str = ""
    parent: str = ""  # the path or correction that it is about or made of
    model: str = ""
    verdict: str = ""  # right, wrong, ...; kept or rejected
    reason: str = ""  # why it was rejected
    label: str = ""  # its kind among its like: a split, or what an example is made of
    level: int | None = None
    tokens: int = 0
    mistake: str = ""  # the same for paths that make the same mistake; wrong paths only


def columns_of(kind: type, row: dict) -> IndexedRow:
    """The columns of a row of a stage whose records are of this kind."""
    mapped = COLUMNS.get(kind)
    if mapped is None:
        return IndexedRow(id=str(row.get("id", "")), model=str(row.get("model", row.get("name", ""))))
    return mapped(row)


def _question(row: dict) -> IndexedRow:
    source, rejected = row.get("source", ""), row.get("rejected", "")
    writer = source.removeprefix("evolved:") if "evolved:" in source else ""
    return IndexedRow(row["id"], row["id"], row.get("parent") or "", writer, "rejected" if rejected else "usable",
                      rejected, row.get("split", ""), row.get("level"), row.get("tokens", 0))


def _path(row: dict) -> IndexedRow:
    return IndexedRow(row["id"], row["question"], "", row["model"], row.get("verdict") or "", "", "", None,
                      row.get("tokens", 0))


def _correction(row: dict) -> IndexedRow:
    verified = row.get("verified")
    verdict = "" if verified is None else "kept" if verified else "rejected"
    return IndexedRow(row["id"], row["question"], row["path"], row["model"], verdict, row.get("rejected", ""),
                      "", None, row.get("tokens", 0))


def _critique(row: dict) -> IndexedRow:
    verdict = "rejected" if row.get("rejected") else row.get("said") or ""
    return IndexedRow(row["id"], row["question"], row["path"], row["model"], verdict, row.get("rejected", ""),
                      f"of a {row['verdict']} path", None, row.get("tokens", 0))


def _example(row: dict) -> IndexedRow:
    verdict = "left out" if row.get("rejected") else "trained on"
    return IndexedRow(row["id"], row["question"], row.get("parent", ""), "", verdict, row.get("rejected", ""),
                      f"{row['kind']} {row['source']}", None, row.get("tokens", 0))


def _one_step(row: dict) -> IndexedRow:
    verdict = "kept" if row.get("kept") else "rejected"
    return IndexedRow(row["id"], row["question"], row["path"], row["model"], verdict, row.get("rejected", ""),
                      f"try {row.get('attempt', 1)}", None, row.get("tokens", 0))


COLUMNS: dict[type, Callable[[dict], IndexedRow]] = {
    Question: _question, ReasoningPath: _path, Correction: _correction, Critique: _critique, Example: _example,
    StepCorrection: _one_step}


TEXTS: dict[type, tuple[str, ...]] = {
    Question: ("text", "answer", "solution", "source"), ReasoningPath: ("text", "answer", "model"),
    Correction: ("reply", "explanation", "answer", "rejected"), Example: ("prompt", "prefix", "completion"),
    Critique: ("reply", "rejected")}


def mistake_of(row: dict) -> str:
    """The same for two wrong paths that make the same mistake."""
    return content_id(row["question"], split_steps(row["text"])) if row.get("verdict") == "wrong" else ""


def words_of(kind: type, row: dict) -> str:
    """What a row is found by: the texts of its kind, of other kinds every text, however deep it lies."""
    if kind in TEXTS:
        return "\n".join(str(row.get(name) or "") for name in TEXTS[kind])
    return "\n".join(_every_text(row))


def _every_text(row: object) -> Iterator[str]:
    if isinstance(row, str):
        yield row
    elif isinstance(row, dict):
        for value in row.values():
            yield from _every_text(value)
    elif isinstance(row, list):
        for value in row:
            yield from _every_text(value)

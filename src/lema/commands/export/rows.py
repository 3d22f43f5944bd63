"""The rows of one arm as files: Parquet with everything, and JSON lines in the three layouts that trainers read.

One design decision: the layouts hold texts and nothing else, so that a loader infers the same columns from every
row of every arm; whoever wants the lineage reads the Parquet file.
"""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lema.commands.export.base import Base
from lema.commands.export.lineage import Lineage
from lema.errors import ConfigError, installing
from lema.printable import one_line

ROWS_AT_ONCE = 5_000
FORMS = ("prompt_completion", "messages", "chat")


class Written(NamedTuple):
    """The size of an arm's table: rows, bytes in memory, bytes on disk."""

    rows: int
    bytes: int
    file_bytes: int


def write_arm(folder: Path, rows: Iterable[dict], base: Base, marked: Path) -> Written:
    """train.parquet, and prompt_completion, messages and chat as JSON lines; the file `marked` too, where the base
    can be read. OSError where they cannot be written."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigError(f"export: Parquet needs pyarrow; {installing('train')}") from None
    folder.mkdir()
    count = size = 0
    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in Lineage.COLUMNS.items()])
    files = {form: folder / f"{form}.jsonl" for form in FORMS} | ({"marked": marked} if base.tokenizer else {})
    with parquet.ParquetWriter(folder / "train.parquet", schema) as table, ExitStack() as opened:
        outs = {form: opened.enter_context(file.open("w", encoding="utf-8")) for form, file in files.items()}
        rows = iter(rows)
        while several := list(islice(rows, ROWS_AT_ONCE)):
            block = pyarrow.Table.from_pylist(several, schema=schema)
            table.write_table(block)
            count, size = count + block.num_rows, size + block.nbytes
            for row in several:
                for form, out in outs.items():
                    out.write(one_line(json.dumps(_as(form, row, base), ensure_ascii=False)) + "\n")
    return Written(count, size, (folder / "train.parquet").stat().st_size)


def _as(form: str, row: dict, base: Base) -> dict:
    """A row in one of the layouts. In conversations the prefix belongs to what the assistant says."""
    if form == "prompt_completion":
        return {"prompt": row["prompt"], "completion": row["completion"]}
    prefix = row["prefix"]
    question = row["prompt"].removesuffix(prefix)
    if form == "marked":
        return base.marked(question, prefix, row["completion"])
    user = {"role": "user", "content": question}
    assistant = {"role": "assistant", "content": prefix + row["completion"]}
    if form == "messages":
        return {"messages": [user, assistant]}
    return {"prompt": [user], "completion": [assistant]}

"""Tables beside the comparison: what they are about, their columns, their rows; on a page, in a terminal, as JSON.

One design decision: a cell is a number and its column says how it is written, so that a program reads what a
person reads; and one way of setting serves every table, however many a run has.
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import itemgetter
from typing import Literal

from lema import figures
from lema.printable import printable
from lema.statistics import points

Cell = str | int | float | None
Form = Literal["text", "count", "percent", "points", "tokens", "number", "p"]
"""How a column is written: percent and points are of fractions."""

WIDTH = 80
LONG = 60  # a text that is longer stands on lines of its own
LABEL = 34  # a longer first cell of a row is cut in a terminal

_WRITTEN: dict[str, Callable[[float], str]] = {
    "text": str, "count": "{:,}".format, "percent": figures.percent, "points": points, "tokens": figures.tokens,
    "number": "{:.2f}".format, "p": figures.p_value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`columns` are (head, form); the first is what a row is about. `remarks` are sentences below it."""

    name: str
    about: str = ""
    columns: tuple[tuple[str, Form], ...]
    rows: tuple[tuple[Cell, ...], ...]
    remarks: tuple[str, ...] = ()
    bars: bool = False  # on the page each row has a bar of its first figure
    detail: bool = False  # for who looks closer: on the page and in `lema show --tables`, not below a run

    @property
    def has_texts(self) -> bool:
        """Whether a cell holds a text that no column is wide enough for."""
        return any(len(cell) > LONG for row in self.cells for cell in row)

    @property
    def cells(self) -> list[list[str]]:
        """The rows as they are written; what there is no figure for is a dash."""
        return [[written(cell, form) for cell, (_, form) in zip(row, self.columns, strict=True)]
                for row in self.rows]


def written(cell: Cell, form: Form) -> str:
    """One cell."""
    return figures.NOTHING if cell is None else _WRITTEN[form](cell)


def in_text(table: Table) -> list[str]:
    """The table at most 80 columns wide; columns that do not fit beside the others go below them."""
    lines = [*_wrapped(f"{table.name}. {table.about}".strip()), ""]
    if table.has_texts:
        return [*lines, *_at_length(table), *_remarks(table)]
    cells = [[printable(" ".join(cell.split())) for cell in row] for row in table.cells]
    label = min(LABEL, max(map(len, (table.columns[0][0], *(row[0] for row in cells)))))
    for block in _blocks(table, cells, label):
        head = [table.columns[0][0], *(table.columns[number][0] for number, _ in block)]
        lines.append(_line(head, label, block))
        lines.append("-" * len(lines[-1]))
        lines += [_line([row[0], *(row[number] for number, _ in block)], label, block) for row in cells]
        lines.append("")
    return [*lines[:-1], *_remarks(table)]


def _remarks(table: Table) -> list[str]:
    return list(chain.from_iterable(_wrapped(remark) or [""] for remark in table.remarks))


def _at_length(table: Table) -> Iterator[str]:
    """Row by row, where a cell holds a text: each cell on lines of its own, whole."""
    for row in table.cells:
        for (head, _), cell in zip(table.columns, row, strict=True):
            lines = printable(cell).splitlines() or [""]
            yield from textwrap.wrap(f"{head}: {lines[0]}", WIDTH, subsequent_indent="    ") or [f"{head}:"]
            for line in lines[1:]:
                yield from textwrap.wrap(line, WIDTH, initial_indent="    ", subsequent_indent="    ")
        yield ""


def _blocks(table: Table, cells: list[list[str]], label: int) -> Iterator[list[tuple[int, int]]]:
    """The columns behind the first, (number, width), by how many fit beside each other."""
    block, used = [], label
    for number in range(1, len(table.columns)):
        width = max(len(table.columns[number][0]), *(len(row[number]) for row in cells), 1)
        width = min(width, WIDTH - label - 2)
        if block and used + 2 + width > WIDTH:
            yield block
            block, used = [], label
        block.append((number, width))
        used += 2 + width
    yield block


def _line(cells: Sequence[str], label: int, block: list[tuple[int, int]]) -> str:
    widths = list(map(itemgetter(1), block))
    behind = [cell if len(cell) <= width else f"{cell[:width - 1]}…"
              for cell, width in zip(cells[1:], widths, strict=True)]
    first = cells[0] if len(cells[0]) <= label else f"{cells[0][:label - 1]}…"
    return "  ".join([first.ljust(label), *map(str.rjust, behind, widths)]).rstrip()


def _wrapped(text: str) -> list[str]:
    whole = figures.unbroken(text)
    return [line.replace("\xa0", " ") for line in textwrap.wrap(whole, WIDTH, break_on_hyphens=False)]


def all_in_text(tables: Sequence[Table]) -> list[str]:
    """Several of them, below each other."""
    return list(chain.from_iterable(chain.from_iterable(zip(repeat([""]), map(in_text, tables), strict=False))))

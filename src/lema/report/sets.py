"""The training sets side by side: what each arm holds, how it is trained, and what it shares with the others.

One design decision: everything is counted from rows of the accounts, so that the terminal, `lema show` and a
program read the same figures.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat

from lema.figures import tokens
from lema.records import Account

HEAD = ("examples", "questions", "prompt tokens", "trained tokens", "epochs", "teacher tokens")


def table(accounts: Sequence[Account]) -> list[str]:
    """A line per arm, and below it the share of its examples that each other arm has too."""
    width = max(len("arm"), *(len(account.arm) for account in accounts))
    lines = [_row("arm", width, HEAD, map(len, HEAD))]
    for account in accounts:
        lines.append(_row(account.arm, width, _cells(account), map(len, HEAD)))
    return [*lines, *too_long(accounts), *_shared(accounts, width)]


def too_long(accounts: Iterable[Account]) -> list[str]:
    """What was left out of the sets because it is too long for the student, where anything was."""
    left_out = [f"{account.overlong:,} of {account.arm}" for account in accounts if account.overlong]
    return [f"longer than train.max_length and left out: {', '.join(left_out)}"] if left_out else []


def _row(label: str, width: int, cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join([label.ljust(width), *map(str.rjust, cells, widths)])


def _cells(account: Account) -> tuple[str, ...]:
    epochs = "–" if account.epochs is None else f"{account.epochs:.1f}"
    return (f"{account.examples:,}", f"{account.questions:,}", tokens(account.prompt_tokens),
            tokens(account.tokens), epochs, tokens(account.teacher_tokens))


def _shared(accounts: Sequence[Account], width: int) -> list[str]:
    """Percent of the row's examples that are in the column's set; columns are numbered to stay narrow."""
    if len(accounts) < 2:
        return []
    numbers = list(map("({})".format, range(1, len(accounts) + 1)))
    label = width + 1 + len(numbers[-1])
    lines = ["", "of its examples, % that another arm has too:", _row("", label, numbers, repeat(4))]
    for number, account in zip(numbers, accounts, strict=True):
        cells = ["–" if other is account else f"{100 * account.shared[other.arm][0] / account.examples:.0f}"
                 for other in accounts]
        lines.append(_row(f"{account.arm.ljust(width)} {number}", label, cells, repeat(4)))
    return lines

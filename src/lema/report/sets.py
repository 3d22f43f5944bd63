"""The training sets side by side: what each arm holds, how it is trained, and what it shares with the others.

One design decision: everything is counted from rows of the accounts, so that the terminal, `lema show` and a
program read the same figures.
"""

from collections.abc import Sequence

from lema.figures import tokens
from lema.records import Account

HEAD = ("examples", "questions", "prompt tokens", "trained tokens", "epochs", "teacher tokens")


def table(accounts: Sequence[Account]) -> list[str]:
    """A line per arm, and below it the share of its examples that each other arm has too."""
    name = max(len("arm"), *(len(account.arm) for account in accounts))
    lines = ["  ".join(["arm".ljust(name), *HEAD])]
    lines += ["  ".join([account.arm.ljust(name), *(cell.rjust(len(head)) for cell, head in zip(
        _cells(account), HEAD, strict=True))]) for account in accounts]
    return [*lines, *_shared(accounts, name)]


def _cells(account: Account) -> tuple[str, ...]:
    epochs = "–" if account.epochs is None else f"{account.epochs:.1f}"
    return (f"{account.examples:,}", f"{account.questions:,}", tokens(account.prompt_tokens),
            tokens(account.tokens), epochs, tokens(account.teacher_tokens))


def _shared(accounts: Sequence[Account], name: int) -> list[str]:
    """Percent of the row's examples that are in the column's set; columns are numbered to stay narrow."""
    if len(accounts) < 2:
        return []
    numbers = [f"({number})" for number in range(1, len(accounts) + 1)]
    label = name + 1 + len(numbers[-1])
    head = "  ".join([" " * label, *(number.rjust(4) for number in numbers)])
    lines = ["", "of its examples, % that another arm has too:", head]
    for number, account in zip(numbers, accounts, strict=True):
        cells = ["–" if other is account else f"{100 * account.shared[other.arm][0] / account.examples:.0f}"
                 for other in accounts]
        lines.append("  ".join([f"{account.arm.ljust(name)} {number}".ljust(label), *(c.rjust(4) for c in cells)]))
    return lines

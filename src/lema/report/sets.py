"""The training sets side by side: what each arm holds, how it is trained, and what it shares with the others.

One design decision: everything is counted from rows of the accounts, so that the terminal, `lema show` and a
program read the same figures.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat

from lema.figures import money, tokens
from lema.records import Account
from lema.runs.prices import Prices

HEAD = ("examples", "questions", "prompt tokens", "set tokens", "epochs")
BILLS = ("teacher tokens", "teacher prompts", "student tokens", "money", "with a cache")
"""The three bills of an arm: what the teachers wrote for it, what that cost with the prompts that they read (and
where the provider keeps what prompts begin with alike), and what the students sampled on the way."""


def table(accounts: Sequence[Account], prices: Prices | None = None) -> list[str]:
    """A line per arm; below it what it is made of, and the share of its examples that each other arm has too.
    Money has a column where `prices` know that somebody is paid."""
    width = max(len("arm"), *(len(account.arm) for account in accounts))
    paid = prices is not None and any(_is_paid(account, prices) for account in accounts)
    cached = paid and any(_has_cache(account, prices) for account in accounts)
    head = HEAD + BILLS[:3 + paid + cached]
    lines = [_row("arm", width, head, map(len, head))]
    for account in accounts:
        bills = (*_cells(account), paid and _money(account, prices, cached=False),
                 cached and _money(account, prices, cached=True))
        cells = filter(None, bills)
        lines.append(_row(account.arm, width, cells, map(len, head)))
    return [*lines, *too_long(accounts), *_made_of(accounts, width), *_shared(accounts, width)]


def read_for(account: Account) -> int:
    """The prompt tokens that the teachers read for an arm."""
    return sum(read for read, _ in account.teachers.values())


def _is_paid(account: Account, prices: Prices) -> bool:
    return not all(price is not None and price.here for price in map(prices, account.teachers))


def _has_cache(account: Account, prices: Prices) -> bool:
    return any(price is not None and price.cached is not None for price in map(prices, account.teachers))


def _money(account: Account, prices: Prices, *, cached: bool) -> str:
    dollars = dollars_for(account, prices, cached=cached)
    return "unknown" if dollars is None else money(dollars) if dollars else "nothing"


def dollars_for(account: Account, prices: Prices, *, cached: bool) -> float | None:
    """What the teachers were paid for the arm, prompts included; None: a price is not known. `cached`: by the
    price of a cache for what each prompt has in common with the one before it."""
    dollars = 0.0
    for model, tokens_of in account.teachers.items():
        price = prices(model)
        if price is None:
            return None
        dollars += price.of(*tokens_of, account.repeated.get(model, 0) if cached else 0)
    return dollars


def _made_of(accounts: Sequence[Account], width: int) -> list[str]:
    """How many examples of which kind and source; nothing where that is not told."""
    lines = []
    for account in accounts:
        if account.kinds:
            parts = ", ".join(f"{count:,} {kind}" for kind, count in account.kinds.items())
            lines.append(f"{account.arm.ljust(width)}  {parts}")
    return ["", "made of:", *lines] if lines else []


def too_long(accounts: Iterable[Account]) -> list[str]:
    """What was left out of the sets because it is too long for the student, where anything was."""
    left_out = [f"{account.overlong:,} of {account.arm}" for account in accounts if account.overlong]
    return [f"longer than train.max_length and left out: {', '.join(left_out)}"] if left_out else []


def _row(label: str, width: int, cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join([label.ljust(width), *map(str.rjust, cells, widths)])


def _cells(account: Account) -> tuple[str, ...]:
    epochs = "–" if account.epochs is None else f"{account.epochs:.1f}"
    return (f"{account.examples:,}", f"{account.questions:,}", tokens(account.prompt_tokens),
            tokens(account.tokens), epochs, tokens(account.teacher_tokens), tokens(read_for(account)),
            tokens(account.student_tokens))


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
    return [*lines, *alike({account.arm: (account.examples, account.shared) for account in accounts})]


def alike(arms: Mapping[str, tuple[int, Mapping[str, tuple[int, int]]]]) -> list[str]:
    """Which arms hold the very same examples, where any do, so that what is between them is chance. `arms`: their
    examples and what of these (with how many questions) each other arm holds too."""
    groups: dict[tuple[str, ...], None] = {}
    for name, (examples, shared) in arms.items():
        same = [other for other, (count, _) in shared.items() if count == examples == arms.get(other, (None,))[0]]
        if same and examples:
            groups[tuple(sorted([name, *same]))] = None
    return [f"the same examples, all of them: {', '.join(group)}" for group in groups]

"""The training sets side by side: what each arm holds, how it is trained, and what it shares with the others.

One design decision: everything is counted from rows of the accounts, so that the terminal, `lema show` and a
program read the same figures.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from operator import itemgetter

from lema.figures import NOTHING, money
from lema.records import Account
from lema.report.tables import WIDTH, Table, in_text
from lema.runs.prices import Prices

HOLDS = (("examples", "count"), ("questions", "count"), ("prompt tokens", "tokens"), ("set tokens", "tokens"),
         ("epochs", "text"))
COSTS = (("teacher tokens", "tokens"), ("teacher prompts", "tokens"), ("student tokens", "tokens"))
"""The three bills of an arm: what the teachers wrote for it, the prompts that they read for that (money also
where the provider keeps what prompts begin with alike), and what the students sampled on the way."""


def table(accounts: Sequence[Account], prices: Prices | None = None) -> list[str]:
    """What each arm holds and what that cost, at most 80 columns wide; below it what it is made of, and the share
    of its examples that each other arm has too."""
    lines = [*in_text(holdings(accounts)), "", *in_text(bills(accounts, prices)), *too_long(accounts)]
    return [*lines, *_made_of(accounts), *_shared(accounts)]


def holdings(accounts: Sequence[Account]) -> Table:
    """A row per arm: its examples, tokens of each example once, and epochs at the budget."""
    rows = []
    for each in accounts:
        epochs = NOTHING if each.epochs is None else f"{each.epochs:.1f}"
        rows.append((each.arm, each.examples, each.questions, each.prompt_tokens, each.tokens, epochs))
    return _without_nothing(Table(
        name="The training sets", about="Tokens of each example once; epochs at the budget.",
        columns=(("arm", "text"), *HOLDS), rows=tuple(rows)))


def _without_nothing(table: Table) -> Table:
    """The table less the columns in which nothing was counted, as tokens and epochs of a run without a student."""
    kept = []
    for number, cells in enumerate(zip(*table.rows, strict=True)):
        if not set(cells) <= {0, NOTHING}:
            kept.append(number)
    cells_of = itemgetter(*kept)
    return replace(table, columns=cells_of(table.columns), rows=tuple(map(cells_of, table.rows)))


def bills(accounts: Sequence[Account], prices: Prices | None = None) -> Table:
    """A row per arm: its three bills, and money where `prices` know that somebody is paid."""
    paid = prices is not None and any(_is_paid(account, prices) for account in accounts)
    cached = paid and any(_has_cache(account, prices) for account in accounts)
    columns, rows = [("arm", "text"), *COSTS], []
    columns += [("money", "text")] * paid + [("with a cache", "text")] * cached
    for each in accounts:
        money_of = [_money(each, prices, cached=with_cache) for with_cache in (False, True)[:paid + cached]]
        rows.append((each.arm, each.teacher_tokens, read_for(each), each.student_tokens, *money_of))
    return Table(name="What they cost", rows=tuple(rows), columns=tuple(columns),
                 about="Tokens that teachers wrote for an arm and read for it, and that students sampled.")


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


def _made_of(accounts: Sequence[Account]) -> list[str]:
    """How many examples of which kind and source; nothing where that is not told."""
    width = max(len(account.arm) for account in accounts)
    lines = []
    for account in accounts:
        if account.kinds:
            parts = ", ".join(f"{count:,} {kind}" for kind, count in account.kinds.items())
            lines += textwrap.wrap(f"{account.arm.ljust(width)}  {parts}", WIDTH, subsequent_indent="    ")
    return ["", "made of:", *lines] if lines else []


def too_long(accounts: Iterable[Account]) -> list[str]:
    """What was left out of the sets because it is too long for the student, where anything was."""
    left_out = [f"{account.overlong:,} of {account.arm}" for account in accounts if account.overlong]
    return [f"longer than train.max_length and left out: {', '.join(left_out)}"] if left_out else []


def _row(label: str, width: int, cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join([label.ljust(width), *map(str.rjust, cells, widths)])


def _shared(accounts: Sequence[Account]) -> list[str]:
    """Percent of the row's examples that are in the column's set; columns are numbered to stay narrow. Of many
    arms each stands with the one that it shares most with."""
    if len(accounts) < 2:
        return []
    same = alike({account.arm: (account.examples, account.shared) for account in accounts})
    width = max(len(account.arm) for account in accounts)
    if width + 6 + 6 * len(accounts) > WIDTH:
        return ["", "most of its examples that another arm has too:", *map(_nearest, accounts), *same]
    numbers = list(map("({})".format, range(1, len(accounts) + 1)))
    label = width + 1 + len(numbers[-1])
    lines = ["", "of its examples, % that another arm has too:", _row("", label, numbers, repeat(4))]
    for number, account in zip(numbers, accounts, strict=True):
        cells = ["–" if other is account else f"{100 * account.shared[other.arm][0] / account.examples:.0f}"
                 for other in accounts]
        lines.append(_row(f"{account.arm.ljust(width)} {number}", label, cells, repeat(4)))
    return [*lines, *same]


def _nearest(account: Account) -> str:
    other, (count, _) = max(account.shared.items(), key=lambda item: item[1])
    return f"  {account.arm}: {100 * count / max(1, account.examples):.0f} % in {other}"


def alike(arms: Mapping[str, tuple[int, Mapping[str, tuple[int, int]]]]) -> list[str]:
    """Which arms hold the very same examples, where any do, so that what is between them is chance. `arms`: their
    examples and what of these (with how many questions) each other arm holds too."""
    groups: dict[tuple[str, ...], None] = {}
    for name, (examples, shared) in arms.items():
        same = [other for other, (count, _) in shared.items() if count == examples == arms.get(other, (None,))[0]]
        if same and examples:
            groups[tuple(sorted([name, *same]))] = None
    return [f"the same examples, all of them: {', '.join(group)}" for group in groups]

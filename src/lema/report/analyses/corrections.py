"""Who corrects whose mistakes how well: by student, by level, by corrector; and what arms made of how many.

One design decision: a mistake counts as asked about once a corrector replied to it, and as corrected once one of
its replies is kept.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from lema.records import Account, Correction, Question, ReasoningPath
from lema.report.tables import Table
from lema.scratch import ScratchTable
from lema.statistics import difference, wilson
from lema.statistics.scores import Score

COLUMNS = (("mistakes", "count"), ("asked about", "count"), ("corrected", "count"), ("%", "percent"),
           ("from", "percent"), ("to", "percent"), ("tokens each", "tokens"))

LATE = 6
"""Steps from here on are counted together."""
KINDS = {
    "calculation": re.compile(
        r"\bis -?[\d.,/$]+,? (?:and )?not -?[\d.,/$]+|calculat|arithmetic|comput|miscount|adds? up to", re.I),
    "operation": re.compile(
        r"\b(?:must|should|has to|needs to|have to) be (?:add|subtract|multipl|divid|taken away)|"
        r"\b(?:not|instead of|rather than) (?:add|subtract|multipl|divid|taken away|taking away)|"
        r"(?:multiplies|adds|subtracts|divides) instead|wrong operation", re.I),
    "wrong value": re.compile(r"\bis needed\b|wrong (?:number|value|quantity|person)|mix(?:es|ed) up|confus|"
                              r"\buses? .{1,40}\b(?:instead|rather)\b", re.I),
    "order, or a step left out": re.compile(
        r"\bbefore\b|already|is known|left out|leaves out|missing|skip|forg[eo]t|omit|not (?:yet )?found", re.I),
    "question misread": re.compile(r"question|story|problem|stated|misread|misunderst|interpret", re.I),
    "unit": re.compile(r"\bunits?\b|percent|convert", re.I),
}
"""Sorts of mistakes by words of explanations, of which the first that fits counts."""


class _Success:
    """Mistakes, those asked about, those corrected, and what was written for them."""

    def __init__(self) -> None:
        self.mistakes, self.asked_about, self.kept, self.tokens = 0, set(), set(), 0

    def add(self, correction: Correction) -> None:
        self.asked_about.add(correction.path)
        self.tokens += correction.tokens
        if correction.verified:
            self.kept.add(correction.path)

    @property
    def cells(self) -> tuple:
        tried, kept = len(self.asked_about), len(self.kept)
        interval = wilson(kept, tried) if tried else (None, None)
        return (self.mistakes, tried, kept, kept / tried if tried else None, *interval,
                round(self.tokens / kept) if kept else None)


def correction_tables(questions: ScratchTable[Question], graded: Iterable[ReasoningPath],
                      verified: Iterable[Correction]) -> Iterator[Table]:
    """Of the first round: by whose mistake, by level, by corrector."""
    model_of: dict[str, str] = {}
    level_of: dict[str, int | None] = {}
    students: dict[str, _Success] = defaultdict(_Success)
    levels: dict[int | None, _Success] = defaultdict(_Success)
    for path in graded:
        if path.verdict == "wrong":
            model_of[path.id], level_of[path.id] = path.model, questions.get(path.question).level
            students[path.model].mistakes += 1
            levels[level_of[path.id]].mistakes += 1
    correctors: dict[str, _Success] = defaultdict(_Success)
    for correction in verified:
        if correction.path in model_of:
            for success in (students[model_of[correction.path]], levels[level_of[correction.path]],
                            correctors[correction.model]):
                success.add(correction)
    if not correctors:
        return
    about = "Mistakes of which a reply passed every check, with a 95 % interval; tokens of a corrector for each."
    yield _table("Corrections by whose mistake", about, "student", students)
    if len(levels) > 1:
        yield _table("Corrections by level", about, "level", dict(sorted(levels.items(), key=str)))
    if len(correctors) > 1:
        yield _against_each_other(correctors)


def _table(name: str, about: str, head: str, by: dict) -> Table:
    return Table(name=name, about=about, columns=((head, "text"), *COLUMNS), detail=True,
                 rows=tuple((str(key), *success.cells) for key, success in by.items()))


def _against_each_other(correctors: dict[str, _Success]) -> Table:
    """Yield and bill on the mistakes that all correctors were asked about."""
    common = sorted(set.intersection(*(success.asked_about for success in correctors.values())))
    first, rows = next(iter(correctors)), []
    for name, success in correctors.items():
        apart = (None, None, None)
        if name != first and common:
            kept = [np.array([[path in each.kept for path in common]]) for each in (success, correctors[first])]
            paired = difference(*kept)
            apart = (paired.mean, *paired.interval)
        share = len(success.kept & set(common)) / len(common) if common else None
        rows.append((name, len(success.asked_about), share, success.cells[-1], *apart))
    return Table(
        name="Correctors on the same mistakes", detail=True,
        about=f"{len(common):,} mistakes that all were asked about: the share that each corrected, and its paired "
              f"difference from {first} in points.",
        columns=(("corrector", "text"), ("asked about", "count"), ("corrected", "percent"),
                 ("tokens each", "tokens"), ("diff", "points"), ("from", "points"), ("to", "points")),
        rows=tuple(rows))


def places_table(verified: Iterable[Correction]) -> Iterator[Table]:
    """Where in the path mistakes sit by the corrector's word, and what it called them, of the first round."""
    places, kinds = Counter(), Counter()
    kept_places, kept_kinds = Counter(), Counter()
    for correction in verified:
        if correction.step is not None:
            place = str(correction.step) if correction.step < LATE else f"{LATE} or later"
            kind = kind_of(correction.explanation)
            places[place] += 1
            kinds[kind] += 1
            kept_places[place] += bool(correction.verified)
            kept_kinds[kind] += bool(correction.verified)
    for name, about, counts, kept in (
            ("Where mistakes sit", "By the number of the step that the corrector called the first wrong one.",
             dict(sorted(places.items())), kept_places),
            ("What the corrector called them", "By words of its explanations; one of no such words is \"else\".",
             dict(kinds.most_common()), kept_kinds)):
        if counts:
            whole = sum(counts.values())
            rows = tuple((key, count, count / whole, kept[key]) for key, count in counts.items())
            yield Table(name=name, about=about, rows=rows, bars=True, columns=(
                ("step" if name.startswith("Where") else "kind", "text"), ("corrections", "count"),
                ("%", "percent"), ("kept", "count")))


def kind_of(explanation: str) -> str:
    """What sort of mistake an explanation speaks of, by its words; the first that fits."""
    return next((kind for kind, words in KINDS.items() if words.search(explanation)), "else")


def amount_table(accounts: Sequence[Account], scores: Iterable[Score]) -> Iterator[Table]:
    """How many examples of which sort stand behind an accuracy."""
    accuracy: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        if score.level is None:
            accuracy[score.arm].append(score.accuracy)
    rows = []
    for account in accounts:
        sorts = Counter()
        for kind, count in account.kinds.items():
            sorts["cot" if kind.split()[0] == "cot" else "other"] += count
        rows.append((account.arm, sorts["cot"], sorts["other"], sorts["other"] / max(1, sorts.total()),
                     account.epochs, sum(accuracy[account.arm]) / max(1, len(accuracy[account.arm]))))
    if rows:
        yield Table(
            name="Amount and ratio", detail=True,
            about="Worked solutions and what is made of mistakes (corrections, steps, critiques) in each set.",
            columns=(("arm", "text"), ("solutions", "count"), ("of mistakes", "count"), ("share", "percent"),
                     ("epochs", "number"), ("accuracy", "percent")), rows=tuple(rows))


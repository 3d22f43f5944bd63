"""`lema compare`: answers of runs, of prediction files, of inspect logs and lm-eval samples, question by question.

One design decision: what is compared is the same questions, found by their words, whoever asked them; what only
some were asked is counted and left out. The statistics are those of a run's own table.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np

from lema.commands.compare.sources import Answered, read_source
from lema.errors import DataError
from lema.records import content_id
from lema.report.tables import Table, in_text
from lema.statistics import Difference, accuracy, difference, holm, reading

TELLING = 20  # different worked answers, from which on no two models give the same ones by chance


@dataclass(frozen=True)
class System:
    """One of the things that are compared: of each seed the share of right answers by question, and who judged."""

    name: str
    seeds: dict[str, dict[str, float]]
    judges: frozenset[str]
    wordings: dict[str, str]  # of each seed what names all its answers; "" where too few say anything
    repeated: int  # questions that stand in one file under the same words and other gold answers: left out

    @property
    def questions(self) -> set[str]:
        return set.intersection(*map(set, self.seeds.values()))


def compare_sources(sources: Sequence[str], runs: Path, task: str | None, *, as_json: bool) -> str:
    """The first against each of the others."""
    facts = compared(sources, runs, task)
    return json.dumps(facts, indent=1, ensure_ascii=False) if as_json else _in_words(facts)


def compared(sources: Sequence[str], runs: Path, task: str | None) -> dict:
    """The same as JSON-ready values."""
    systems = [_system(source, runs, task) for source in sources]
    if len(set(map(attrgetter("name"), systems))) < len(systems):
        raise DataError("compare: two have the same name; give one as NAME=SOURCE")
    common = sorted(set.intersection(*map(attrgetter("questions"), systems)))
    if not common:
        raise DataError("compare: no question is common to all; questions are held against each other by their "
                        f"words, and {systems[0].name} has {len(systems[0].questions):,} of them")
    baseline = systems[0]
    same = _same_answers(systems)
    apart = {system.name: _difference(system, baseline, common) for system in systems[1:]
             if system.name not in same}
    adjusted = holm(list(map(attrgetter("p_value"), apart.values())))
    return {
        "questions": len(common), "same_answers": same, "systems": [_facts(system, common) for system in systems],
        "comparisons": [
            {"arm": name, "baseline": baseline.name, **asdict(each), "p_holm": p,
             "detectable": each.detectable(len(apart)), "reading": reading(each, p, len(apart))}
            for (name, each), p in zip(apart.items(), adjusted, strict=True)]}


def _system(source: str, runs: Path, task: str | None) -> System:
    name, equals, places = source.partition("=")
    if not equals:
        name, places = source, source
    seeds: dict[str, dict[str, float]] = {}
    judges: set[str] = set()
    wordings: dict[str, str] = {}
    repeated = 0
    for number, place in enumerate(places.split(","), 1):
        for seed, answers in read_source(place, runs, task).items():
            key = seed or str(number)
            if key in seeds:
                raise DataError(f"compare: {name} has seed {key} twice; each training stands once")
            seeds[key], left_out = _by_question(place, answers, judges)
            wordings[key] = _wording(answers)
            repeated += left_out
    firsts: dict[str, str] = {}
    for key, wording in wordings.items():
        first = firsts.setdefault(wording, key)
        if wording and first != key:
            raise DataError(f"compare: the answers of {name} with seed {key} are those with seed {first}, word "
                            "for word: one checkpoint examined twice is one result; give it once")
    return System(name, seeds, frozenset(judges), wordings, repeated)


def _wording(answers: Sequence[Answered]) -> str:
    """What names all answers at once, in whatever order; "" where too few differ from each other to tell two
    models apart."""
    wordings = set(map(attrgetter("wording"), answers)) - {""}
    return content_id(sorted(map(attrgetter("question", "wording"), answers))) if len(wordings) >= TELLING else ""


def _same_answers(systems: Sequence[System]) -> dict[str, str]:
    """Which systems say what an earlier one says, word for word: they are no results of their own."""
    same: dict[str, str] = {}
    firsts: dict[tuple[str, ...], str] = {}
    for system in systems:
        wordings = tuple(sorted(system.wordings.values()))
        first = firsts.setdefault(wordings, system.name)
        if all(wordings) and first != system.name:
            same[system.name] = first
    return same


def _by_question(place: str, answers: Sequence[Answered], judges: set[str]) -> tuple[dict[str, float], int]:
    """Of each question the share of right answers. One whose words stand there with several gold answers is
    several questions that cannot be told apart."""
    right, count = Counter(), Counter()
    golds: dict[str, set[str]] = {}
    for answer in answers:
        right[answer.question] += answer.right
        count[answer.question] += 1
        golds.setdefault(answer.question, set()).add(answer.gold)
        judges.add(answer.judge)
    if not count:
        raise DataError(f"{place}: no answers")
    unclear = {question for question, several in golds.items() if len(several) > 1}
    shares = {question: right[question] / count[question] for question in count if question not in unclear}
    return shares, len(unclear)


def _difference(system: System, baseline: System, common: list[str]) -> Difference:
    pairs = [(seed, seed) for seed in system.seeds if seed in baseline.seeds]
    if len(system.seeds) == len(baseline.seeds) == 1:  # whatever it is called
        pairs = [(*system.seeds, *baseline.seeds)]
    if not pairs:
        raise DataError(f"compare: {system.name} has the seeds {', '.join(system.seeds)}, {baseline.name} "
                        f"{', '.join(baseline.seeds)}; trainings are paired by seed")
    ours, theirs = zip(*pairs, strict=True)
    return difference(_matrix(system, ours, common), _matrix(baseline, theirs, common))


def _matrix(system: System, seeds: Sequence[str], common: list[str]) -> np.ndarray:
    """[seeds, questions], the share of right answers."""
    return np.array([[system.seeds[seed][question] for question in common] for seed in seeds])


def _facts(system: System, common: list[str]) -> dict:
    right = _matrix(system, tuple(system.seeds), common)
    return {"name": system.name, "accuracy": accuracy(right).mean, "interval": [*accuracy(right).interval],
            "seeds": list(system.seeds), "questions": len(system.questions),
            "not_common": len(system.questions) - len(common), "unclear": system.repeated,
            "judges": sorted(system.judges)}


def _in_words(facts: dict) -> str:
    rows = [(each["name"], each["accuracy"], *each["interval"], len(each["seeds"]), each["questions"],
             each["not_common"], each["unclear"]) for each in facts["systems"]]
    table = Table(
        name="Compared", about=f"Accuracy in % on the {facts['questions']:,} questions that all were asked, with "
                               "its 95 % interval over questions.",
        columns=(("system", "text"), ("accuracy", "percent"), ("from", "percent"), ("to", "percent"),
                 ("seeds", "count"), ("questions", "count"), ("not common", "count"), ("unclear", "count")),
        rows=tuple(rows), remarks=tuple(_remarks(facts)))
    return "\n".join(in_text(table))


def _remarks(facts: dict) -> list[str]:
    remarks = []
    for name, first in facts["same_answers"].items():
        remarks += ["", f"{name} gave the answers of {first}, word for word: one checkpoint, one result."]
    for row in facts["comparisons"]:
        remarks += ["", f"{row['arm']} against {row['baseline']}: {row['reading']}."]
    judges = {judge for each in facts["systems"] for judge in each["judges"]}
    if len(judges) > 1:
        remarks.append("")
        remarks.append(f"They were judged by different graders ({', '.join(sorted(judges))}): part of a "
                       "difference may be theirs; --task judges all answers anew by one.")
    if any(each["unclear"] for each in facts["systems"]):
        remarks.append("Unclear: the same words with different gold answers; left out.")
    return remarks

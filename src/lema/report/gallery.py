"""Six corrections to look at, drawn so that nobody chose them: three that were kept, and one for each of the three
checks that most often rejected.

One design decision: of each group the one whose length is the median of its group is taken (of the kept ones three
around it, of different questions), so a reader sees what is usual, with what every check really says of it.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median_low

from lema.checks import CHECK, Checked, failed
from lema.records import Correction, Question, ReasoningPath
from lema.replies import split_steps
from lema.report import ShownCorrection
from lema.scratch import by_id

KEPT, REASONS = 3, 3


def gallery(folder: Path, answers_of: Callable[[Question], object], questions: Iterable[Question],
            graded: Iterable[ReasoningPath], verified: Iterable[Correction]) -> tuple[ShownCorrection, ...]:
    """The corrections to show of one round, the kept ones first. `verified` is read twice."""
    drawn = _drawn(verified)
    with by_id(folder, Question, questions) as texts, by_id(folder, ReasoningPath, graded) as paths:
        shown = []
        for correction in drawn:
            question, path = texts.get(correction.question), paths.get(correction.path)
            if question is not None and path is not None:
                shown.append(_shown(correction, question, path, answers_of(question)))
    return tuple(shown)


def _drawn(verified: Iterable[Correction]) -> list[Correction]:
    lengths: dict[str, array] = defaultdict(lambda: array("q"))
    for correction in verified:
        lengths["" if correction.verified else correction.rejected].append(correction.tokens)
    usual = {reason: median_low(tokens) for reason, tokens in lengths.items()}
    reasons = sorted(filter(None, lengths), key=lambda reason: (-len(lengths[reason]), reason))[:REASONS]
    groups: dict[str, list[tuple[int, str, Correction]]] = {reason: [] for reason in ("", *reasons)}
    for correction in verified:
        reason = "" if correction.verified else correction.rejected
        if reason in groups:
            away = abs(correction.tokens - usual[reason])
            groups[reason] = _nearest([*groups[reason], (away, correction.id, correction)], 1 if reason else KEPT)
    drawn = []
    for group in groups.values():
        drawn += [correction for _, _, correction in group]
    return drawn


def _nearest(group: list[tuple[int, str, Correction]], most: int) -> list[tuple[int, str, Correction]]:
    """The first few by distance from the median, one of each question."""
    nearest: dict[str, tuple[int, str, Correction]] = {}
    for entry in sorted(group, key=lambda entry: entry[:2]):
        nearest.setdefault(entry[2].question, entry)
    return list(nearest.values())[:most]


def _shown(correction: Correction, question: Question, path: ReasoningPath,
           answers: object) -> ShownCorrection:
    steps: Sequence[str] = split_steps(path.text)
    fails = failed(Checked.of(correction, steps, question, answers))
    outcome = "kept" if correction.verified else f"rejected: {correction.rejected}"
    return ShownCorrection(
        question=question.text, gold=question.answer, student=path.model, stated=path.answer or "", path=steps,
        wrong_step=correction.step or 1, explanation=correction.explanation, corrected=correction.steps,
        corrector=correction.model, checks=tuple((name, name not in fails) for name in CHECK), outcome=outcome,
        reply="" if correction.steps else correction.reply)
